-- title: trailing spaces in CHAR and VARCHAR; collations that pad: a key whose bytes change while it stays equal
-- expect padded: hex(k), v
--   41 | 1
--   6220 | 2
--   63 | 4

-- tables
CREATE TABLE t (id INT PRIMARY KEY, c CHAR(10) NULL, v VARCHAR(10) NULL, x TEXT NULL, g CHAR(5) NOT NULL);
CREATE TABLE padded (k VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, v INT, PRIMARY KEY (k));
CREATE TABLE padded_char (k CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, v INT, PRIMARY KEY (k));

-- rows
INSERT INTO t VALUES (1, 'a  ', 'a  ', 'a  ', 'a  '), (2, '   ', '   ', '   ', '   '), (3, '', '', '', ''),
  (4, ' a', ' a', ' a', ' a'), (5, 'a\t ', 'a\t ', 'a\t ', 'a\t '), (6, NULL, NULL, NULL, 'x'), (7, 'a\n', 'a\n', 'a\n', 'a\n');
INSERT INTO padded VALUES ('a', 1), ('b', 2), ('c ', 3), ('', 4);
INSERT INTO padded_char VALUES ('a', 1), ('B', 2), ('', 3);

-- changes
UPDATE t SET c = 'b ', v = 'b ', x = 'b ', g = 'b ' WHERE id < 4;
UPDATE padded SET k = 'A' WHERE k = 'a';
UPDATE padded SET k = 'b ' WHERE k = 'b';
UPDATE padded SET k = 'c', v = 4 WHERE k = 'c';
DELETE FROM padded WHERE k = ' ';
UPDATE padded_char SET k = 'b' WHERE k = 'b';
