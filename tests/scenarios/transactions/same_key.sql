-- title: one key inserted, updated twice, deleted and inserted again, in one transaction and in many
-- expect t: id, v
--   1 | again
--   2 | third
--   4 | only
--   5 | b

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
BEGIN;
INSERT INTO t VALUES (1, 'first');
UPDATE t SET v = 'second' WHERE id = 1;
UPDATE t SET v = 'third' WHERE id = 1;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (1, 'again');
COMMIT;
INSERT INTO t VALUES (2, 'first');
UPDATE t SET v = 'second' WHERE id = 2;
DELETE FROM t WHERE id = 2;
INSERT INTO t VALUES (2, 'third');
BEGIN;
INSERT INTO t VALUES (3, 'gone');
DELETE FROM t WHERE id = 3;
COMMIT;

-- changes
BEGIN;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (1, 'x');
UPDATE t SET v = 'again' WHERE id = 1;
UPDATE t SET id = 3 WHERE id = 2;
UPDATE t SET id = 2 WHERE id = 3;
COMMIT;
INSERT INTO t VALUES (4, 'only');
INSERT INTO t VALUES (5, 'a');
DELETE FROM t WHERE id = 5;
INSERT INTO t VALUES (5, 'b');
