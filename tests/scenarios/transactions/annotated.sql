-- title: statements in the log before their rows, whatever they say, and such as have no rows

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100));

-- rows
/*!80000 SET SESSION binlog_rows_query_log_events = ON */;
/*M! SET SESSION binlog_annotate_row_events = ON */;
INSERT /* DROP TABLE t */ INTO t VALUES (1, 'TRUNCATE TABLE t'), (2, 'COMMIT'), (3, 'x');
BEGIN;
UPDATE t /* ROLLBACK */ SET v = 'BEGIN; ROLLBACK' WHERE id = 2;
INSERT INTO t
  SELECT id + 10, v -- a comment
  FROM t;
COMMIT;

-- changes
DELETE FROM t WHERE id = 0;
UPDATE t SET v = v;
UPDATE t SET v = CONCAT(v, ' changed') WHERE id = 11;
BEGIN;
UPDATE t SET id = id WHERE id = 1;
COMMIT;
CREATE TABLE other (PRIMARY KEY (id)) SELECT * FROM t WHERE id < 3;
DELETE FROM t WHERE id = 3;
DROP TABLE other;
