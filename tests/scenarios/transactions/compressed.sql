-- title: compressed transactions (MySQL) and events (MariaDB), with DDL beside them, rows of a table that is not in the pipe, and XA
-- options: {"loose_binlog_transaction_compression": "ON", "loose_log_bin_compress": "ON", "loose_log_bin_compress_min_len": "10"}
-- mapping aside: null
-- expect t: id, length(v), left(v, 5)
--   1 | 6 | first
--   2 | 900000 | large
--   3 | 5 | third
--   5 | 4 | kept
-- expect u: id, left(v, 9)
--   2 | after the
--   3 | of one ph
--   4 | preparedp

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(100));
CREATE TABLE aside (id INT PRIMARY KEY, v LONGTEXT);

-- rows
INSERT INTO u VALUES (1, REPEAT('u', 100)), (2, REPEAT('v', 100));
BEGIN;
INSERT INTO t VALUES (1, 'first '), (2, 'second'), (4, 'fourth');
INSERT INTO aside VALUES (1, REPEAT('not ours ', 50000));
SAVEPOINT s;
UPDATE t SET v = 'undone' WHERE id = 1;
INSERT INTO aside VALUES (2, 'undone');
ROLLBACK TO SAVEPOINT s;
UPDATE t SET v = REPEAT('large value of a row ', 1000) WHERE id = 2;
UPDATE aside SET v = 'small';
COMMIT;

-- changes
BEGIN;
INSERT INTO t VALUES (3, 'third');
DELETE FROM aside;
COMMIT;
CREATE TABLE aside2 (PRIMARY KEY (id)) SELECT id, v FROM t;
ALTER TABLE aside ADD COLUMN n INT DEFAULT 7 COMMENT 'of a table that is not ours';
TRUNCATE TABLE u;
BEGIN;
INSERT INTO u VALUES (2, 'after the TRUNCATE');
UPDATE t SET v = REPEAT('large ', 150000) WHERE id = 2;
INSERT INTO aside (id, v) VALUES (5, 'x');
DELETE FROM t WHERE id = 4;
INSERT INTO t VALUES (5, 'kept');
COMMIT;
DROP TABLE aside2;
XA START 'compressed';
INSERT INTO u VALUES (3, REPEAT('of one phase', 8));
XA END 'compressed';
XA COMMIT 'compressed' ONE PHASE;
XA START 'compressed';
INSERT INTO u VALUES (4, REPEAT('prepared', 8));
XA END 'compressed';
XA PREPARE 'compressed';
XA COMMIT 'compressed';
XA START 'compressed';
DELETE FROM u;
INSERT INTO u VALUES (5, REPEAT('rolled back', 8));
XA END 'compressed';
XA PREPARE 'compressed';
XA ROLLBACK 'compressed';
