-- title: rows events beyond 16 MiB, the largest packet of the protocol; rows of 1,000 columns
-- expect large: id, length(v)
--   1 | 3
-- expect wide: id, c1, c500, c1000
--   1 | 1 | 501 | \N
--   2 | \N | 500 | 1000

-- tables
CREATE TABLE large (id INT PRIMARY KEY, v LONGBLOB);
SET SESSION group_concat_max_len = 1000000;
SET @columns = (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  SELECT GROUP_CONCAT('c', i, ' INT' ORDER BY i) FROM n);
SET @sql = CONCAT('CREATE TABLE wide (id INT PRIMARY KEY, ', @columns, ')');
PREPARE make FROM @sql;
EXECUTE make;

-- rows
INSERT INTO large VALUES (1, REPEAT('0123456789', 1700000));
INSERT INTO wide (id, c1, c500) VALUES (1, 1, 500);

-- changes
UPDATE large SET v = 'abc' WHERE id = 1;
INSERT INTO wide (id, c500, c1000) VALUES (2, 500, 1000);
UPDATE wide SET c500 = c500 + 1 WHERE id = 1;
