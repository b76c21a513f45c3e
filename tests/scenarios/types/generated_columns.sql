-- title: generated columns, stored and virtual, hold what a SELECT gives
-- servers: mysql, mariadb

-- tables
CREATE TABLE t (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) VIRTUAL, b VARCHAR(20), both_words VARCHAR(50) AS (CONCAT(b, '/', a)) STORED,
  after_all INT);

-- rows
INSERT INTO t (id, a, b, after_all) VALUES (1, 1, 'x', 1), (2, NULL, 'y', 2), (3, -5, NULL, 3), (4, 0, '', NULL);

-- changes
UPDATE t SET a = a + 10;
DELETE FROM t WHERE id = 4;
