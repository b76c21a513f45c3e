-- title: COMPRESSED columns of MariaDB
-- servers: mariadb

-- tables
CREATE TABLE t (id INT PRIMARY KEY, x TEXT COMPRESSED, v VARCHAR(1000) COMPRESSED NOT NULL, b BLOB COMPRESSED, vb VARBINARY(500) COMPRESSED,
  lt LONGTEXT COMPRESSED, after_all INT);

-- rows
INSERT INTO t VALUES (1, REPEAT('long ', 5000), REPEAT('水', 300), REPEAT(x'00', 60000), REPEAT(x'FF', 500), REPEAT('é', 100000), 1),
  (2, 'short', 's', x'00', x'01', 'x', 2), (3, '', '', '', '', '', 3), (4, NULL, 'g', NULL, NULL, NULL, NULL);

-- changes
UPDATE t SET x = REPEAT('other ', 2000), v = '' WHERE id IN (1, 4);
DELETE FROM t WHERE id = 2;
