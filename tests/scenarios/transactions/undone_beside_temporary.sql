-- title: transactions undone beside a temporary table: MariaDB logs their rows, and that they were undone
-- expect t: id, v
--   1 | kept
--   2 | kept
--   3 | kept

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'kept');
CREATE TEMPORARY TABLE work (id INT);
BEGIN;
INSERT INTO t VALUES (8, 'undone');
INSERT INTO work VALUES (1);
UPDATE t SET v = 'undone' WHERE id = 1;
ROLLBACK;
DROP TEMPORARY TABLE work;

-- changes
BEGIN;
INSERT INTO t VALUES (2, 'kept');
SAVEPOINT s;
INSERT INTO t VALUES (9, 'undone');
CREATE TEMPORARY TABLE work (id INT);
INSERT INTO work VALUES (1);
ROLLBACK TO SAVEPOINT s;
INSERT INTO t VALUES (3, 'kept');
COMMIT;
