-- title: parts of an XA transaction that are undone beside a temporary table: MariaDB logs them
-- servers: mariadb
-- expect t: id, v
--   1 | kept
--   2 | kept
--   4 | kept

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'kept');

-- changes
XA START 'savepoints';
SAVEPOINT nothing;
INSERT INTO t VALUES (2, 'kept');
SAVEPOINT s;
INSERT INTO t VALUES (3, 'undone');
CREATE TEMPORARY TABLE work (id INT);
INSERT INTO work VALUES (1);
UPDATE t SET v = 'undone';
ROLLBACK TO SAVEPOINT s;
INSERT INTO t VALUES (4, 'kept');
XA END 'savepoints';
XA PREPARE 'savepoints';
XA COMMIT 'savepoints';
DROP TEMPORARY TABLE work;
