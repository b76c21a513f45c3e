-- title: tables of one row less than a partition, of exactly one, of one row more, and of exactly two
-- settings: {"snapshotNumRowsPerPartition": 1000}

-- tables
CREATE TABLE digits (d INT PRIMARY KEY);
CREATE TABLE t999 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t1000 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t1001 (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE t2000 (a SMALLINT, b VARCHAR(10), v INT, PRIMARY KEY (a, b));

-- rows
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
INSERT INTO t1000 SELECT a.d + b.d * 10 + c.d * 100, CONCAT('row ', a.d) FROM digits a, digits b, digits c;
INSERT INTO t999 SELECT * FROM t1000 WHERE id > 0;
INSERT INTO t1001 SELECT * FROM t1000;
INSERT INTO t1001 VALUES (-1, 'the first');
INSERT INTO t2000 SELECT id, 'x', 1 FROM t1000;
INSERT INTO t2000 SELECT id, 'y', 2 FROM t1000;

-- changes
DELETE FROM t999 WHERE id = 999;
INSERT INTO t1000 VALUES (1000, 'one more');
UPDATE t1001 SET v = 'changed' WHERE id IN (-1, 998, 999);
DELETE FROM t2000 WHERE a IN (0, 499, 500, 999) AND b = 'y';
