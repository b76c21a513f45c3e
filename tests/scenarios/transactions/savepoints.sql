-- title: ROLLBACK, SAVEPOINT, ROLLBACK TO, RELEASE: what was undone never arrives
-- expect t: id, v
--   1 | kept
--   2 | kept
--   4 | kept
--   6 | kept
--   8 | kept
--   9 | kept

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'kept');
BEGIN;
INSERT INTO t VALUES (100, 'undone');
UPDATE t SET v = 'undone' WHERE id = 1;
ROLLBACK;
BEGIN;
INSERT INTO t VALUES (2, 'kept');
SAVEPOINT one;
INSERT INTO t VALUES (3, 'undone');
UPDATE t SET v = 'undone' WHERE id IN (1, 2);
SAVEPOINT `it's two`;
DELETE FROM t WHERE id = 1;
ROLLBACK TO SAVEPOINT one;
INSERT INTO t VALUES (4, 'kept');
RELEASE SAVEPOINT one;
COMMIT;

-- changes
BEGIN;
INSERT INTO t VALUES (5, 'undone');
SAVEPOINT s;
DELETE FROM t;
ROLLBACK TO s;
ROLLBACK;
BEGIN;
INSERT INTO t VALUES (6, 'kept');
SAVEPOINT s;
INSERT INTO t VALUES (7, 'undone');
ROLLBACK TO s;
SAVEPOINT s;
INSERT INTO t VALUES (8, 'kept');
SAVEPOINT s;
INSERT INTO t VALUES (7, 'undone');
ROLLBACK TO s;
INSERT INTO t VALUES (9, 'kept');
COMMIT;
