-- title: XA transactions: committed in two phases or in one, rolled back before and after XA PREPARE
-- expect t: id, v
--   1 | one phase
--   2 | two
--   3 | moved
--   12 | two
--   13 | one phase

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'first'), (4, 'first');
XA START 'xa rows';
INSERT INTO t VALUES (2, 'two'), (5, 'moved');
UPDATE t SET id = 3 WHERE id = 5;
INSERT INTO u SELECT * FROM t;
XA END 'xa rows';
XA PREPARE 'xa rows';
XA COMMIT 'xa rows';
XA START 'xa rows', 'branch';
INSERT INTO t VALUES (100, 'rolled back');
DELETE FROM t WHERE id < 3;
DELETE FROM u;
XA END 'xa rows', 'branch';
XA PREPARE 'xa rows', 'branch';
XA ROLLBACK 'xa rows', 'branch';

-- changes
XA START 'xa changes', 'b', 17;
INSERT INTO t VALUES (12, 'two');
DELETE FROM t WHERE id = 4;
UPDATE u SET id = id + 100, v = 'moved';
XA END 'xa changes', 'b', 17;
XA PREPARE 'xa changes', 'b', 17;
XA COMMIT 'xa changes', 'b', 17;
XA START 'xa changes';
INSERT INTO t VALUES (13, 'one phase');
UPDATE t SET v = 'one phase' WHERE id = 1;
XA END 'xa changes';
XA COMMIT 'xa changes' ONE PHASE;
XA START 'xa changes';
INSERT INTO t VALUES (101, 'undone');
XA END 'xa changes';
XA ROLLBACK 'xa changes';
XA START 'xa changes';
DELETE FROM t;
XA END 'xa changes';
XA PREPARE 'xa changes';
XA ROLLBACK 'xa changes';
