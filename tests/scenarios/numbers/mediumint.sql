-- title: MEDIUMINT of 24 bits keeps its sign, and its highest bit without one

-- tables
CREATE TABLE t (
  id INT PRIMARY KEY, m MEDIUMINT NOT NULL, mu MEDIUMINT UNSIGNED NOT NULL, mn MEDIUMINT NULL,
  mz MEDIUMINT ZEROFILL NULL);
CREATE TABLE keyed (m MEDIUMINT, mu MEDIUMINT UNSIGNED, v INT, PRIMARY KEY (m, mu));

-- rows
INSERT INTO t VALUES (1, -8388608, 0, NULL, NULL), (2, -1, 8388608, -1, 1), (3, 8388607, 16777215, 8388607, 16777215),
  (4, 0, 8388607, 0, 0), (5, -8388607, 1, -256, 65536);
INSERT INTO keyed VALUES (-8388608, 16777215, 1), (-1, 8388608, 1), (8388607, 0, 1), (0, 1, 1);

-- changes
UPDATE t SET m = -m - 1, mu = 16777215 - mu;
UPDATE keyed SET v = 2 WHERE m < 0;
UPDATE keyed SET m = -2, mu = mu - 1 WHERE m = -1;
DELETE FROM keyed WHERE m = -8388608;
