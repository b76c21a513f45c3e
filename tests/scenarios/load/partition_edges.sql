-- title: tables of one row less than a partition, of exactly one, of one row more, and of exactly two
-- settings: {"snapshotNumRowsPerPartition": 10}

-- tables
CREATE TABLE t9 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t10 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t11 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t20 (a SMALLINT, b VARCHAR(10), v INT, PRIMARY KEY (a, b));

-- rows
INSERT INTO t10 VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd'), (4, 'e'), (5, 'f'), (6, 'g'), (7, 'h'), (8, 'i'), (9, 'j');
INSERT INTO t9 SELECT * FROM t10 WHERE id > 0;
INSERT INTO t11 SELECT * FROM t10;
INSERT INTO t11 VALUES (-1, 'the first');
INSERT INTO t20 SELECT id, 'x', 1 FROM t10;
INSERT INTO t20 SELECT id, 'y', 2 FROM t10;

-- changes
DELETE FROM t9 WHERE id = 9;
INSERT INTO t10 VALUES (10, 'one more');
UPDATE t11 SET v = 'changed' WHERE id IN (-1, 8, 9);
DELETE FROM t20 WHERE a IN (0, 4, 5, 9) AND b = 'y';
