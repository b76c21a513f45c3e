-- title: text of one to four bytes a character, control characters, quotes; as value and as key

-- tables
CREATE TABLE t (
  id INT PRIMARY KEY, c CHAR(20) CHARACTER SET utf8mb4, v VARCHAR(300) CHARACTER SET utf8mb4, u VARCHAR(50) CHARACTER SET utf8mb3,
  a VARCHAR(50) CHARACTER SET ascii, x TEXT CHARACTER SET utf8mb4, m MEDIUMTEXT CHARACTER SET utf8mb3) DEFAULT CHARSET utf8mb4;
CREATE TABLE keyed (k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, v INT, PRIMARY KEY (k));

-- rows
INSERT INTO t VALUES
  (1, 'ñ水🚰', 'ñ水🚰', 'ñ水', 'n', 'ñ水🚰', 'ñ水'),
  (2, '\0\b\t\n\r\Z\\''"%_', '\0\b\t\n\r\Z\\''"%_', '\0\t\n', '\0\t\n''"\\', '\0\b\t\n\r\Z\\''"%_', '\\N'),
  (3, '', '', '', '', '', ''),
  (4, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, REPEAT('🚰', 20), REPEAT('水', 255), REPEAT('水', 50), REPEAT('~', 50), REPEAT('🚰', 300), REPEAT('é', 70000)),
  (6, 'NULL', 'a,b;c', '\\', '`', '{"a": [1]}', '\\x00');
INSERT INTO keyed VALUES ('', 1), ('a', 1), ('A', 1), ('á', 1), ('水', 1), ('🚰', 1), ('it''s', 1), ('back\\slash', 1), ('\0', 1), ('a\nb', 1);

-- changes
UPDATE t SET v = CONCAT(v, '🚰'), x = CONCAT('水', x);
UPDATE keyed SET v = 2 WHERE k IN ('a', '水', 'it''s');
UPDATE keyed SET k = 'back\\\\slash' WHERE k = 'back\\slash';
DELETE FROM keyed WHERE k IN ('\0', '🚰');
