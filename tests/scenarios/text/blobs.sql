-- title: BLOB and TEXT of every size class, at the edges of their length bytes

-- tables
CREATE TABLE t (id INT PRIMARY KEY, tb TINYBLOB, b BLOB, mb MEDIUMBLOB, lb LONGBLOB, tt TINYTEXT, x TEXT, mt MEDIUMTEXT, lt LONGTEXT,
  v255 VARBINARY(255), v256 VARBINARY(256));

-- rows
INSERT INTO t VALUES (1, '', '', '', '', '', '', '', '', '', ''),
  (2, REPEAT(x'00', 255), REPEAT(x'FF', 65535), REPEAT(x'0A', 65536), REPEAT(x'0D', 65537), REPEAT('a', 255), REPEAT('b', 65535),
   REPEAT('c', 65536), REPEAT('d', 65537), REPEAT(x'01', 255), REPEAT(x'02', 256)),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, x'00', REPEAT(x'00', 256), REPEAT(x'80', 255), REPEAT(x'C3', 256), 'x', REPEAT('é', 256), '水', '', x'00', REPEAT(x'00', 255));

-- changes
UPDATE t SET b = CONCAT(b, x'00'), lb = REPEAT(x'0001', 70000) WHERE id IN (1, 4);
DELETE FROM t WHERE id = 2;
