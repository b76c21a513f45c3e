-- title: character sets of one and more bytes arrive as UTF-8
-- servers: mysql, mariadb

-- tables
CREATE TABLE t (
  id INT PRIMARY KEY, latin1 VARCHAR(50) CHARACTER SET latin1, latin2 VARCHAR(50) CHARACTER SET latin2, latin5 VARCHAR(50) CHARACTER SET latin5,
  latin7 VARCHAR(50) CHARACTER SET latin7, cp1250 VARCHAR(50) CHARACTER SET cp1250, cp1251 VARCHAR(50) CHARACTER SET cp1251,
  cp1256 VARCHAR(50) CHARACTER SET cp1256, cp1257 VARCHAR(50) CHARACTER SET cp1257, cp850 CHAR(50) CHARACTER SET cp850,
  cp866 VARCHAR(50) CHARACTER SET cp866, koi8r TEXT CHARACTER SET koi8r, koi8u VARCHAR(50) CHARACTER SET koi8u,
  greek VARCHAR(50) CHARACTER SET greek, hebrew VARCHAR(50) CHARACTER SET hebrew, tis620 VARCHAR(50) CHARACTER SET tis620,
  macroman VARCHAR(50) CHARACTER SET macroman);
CREATE TABLE wide (
  id INT PRIMARY KEY, gbk VARCHAR(50) CHARACTER SET gbk, gb2312 VARCHAR(50) CHARACTER SET gb2312, big5 CHAR(20) CHARACTER SET big5,
  sjis VARCHAR(50) CHARACTER SET sjis, cp932 VARCHAR(50) CHARACTER SET cp932, ujis VARCHAR(50) CHARACTER SET ujis,
  eucjpms TEXT CHARACTER SET eucjpms, euckr VARCHAR(50) CHARACTER SET euckr, ucs2 VARCHAR(50) CHARACTER SET ucs2,
  utf16 VARCHAR(50) CHARACTER SET utf16, utf16le CHAR(20) CHARACTER SET utf16le, utf32 MEDIUMTEXT CHARACTER SET utf32);

-- rows
INSERT INTO t VALUES (1, 'é €ß', 'ł', 'ğ', 'ž', 'ť', 'ж', 'ش', 'ū', 'é', 'ж', 'жук', 'є', 'Ω', 'ש', 'ก', 'é'),
  (2, 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a  ', 'a', 'a', 'a', 'a', 'a', 'a', 'a'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '');
INSERT INTO wide VALUES (1, '水', '水', '水', '水', '水', '水', '水', '水', '水ñ', '水🚰', '水🚰', '水🚰'),
  (2, 'a\\', 'a', 'a', 'a\\b', 'a', 'a', 'a', 'a', 'a  ', 'a', 'a', 'a'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- changes
UPDATE t SET latin1 = 'ÿ', koi8r = 'Я' WHERE id = 1;
UPDATE wide SET utf32 = '🚰🚰', sjis = 'ｱ' WHERE id = 1;
DELETE FROM t WHERE id = 2;
