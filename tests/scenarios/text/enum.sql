-- title: ENUM: the error value, labels of odd characters, in the key

-- tables
CREATE TABLE t (
  id INT PRIMARY KEY, e ENUM('new', 'a,b', 'it''s', 'back\\slash', '水', 'UPPER', '') CHARACTER SET utf8mb4 NULL,
  g ENUM('x', 'y') NOT NULL, d ENUM('one', 'two') NOT NULL DEFAULT 'two');
CREATE TABLE keyed (k ENUM('z', 'y', 'x'), n INT, v INT, PRIMARY KEY (k, n));

-- rows
SET sql_mode = '';
INSERT INTO t VALUES (1, 'new', 'x', 'one'), (2, 'a,b', 'y', 'two'), (3, 'it''s', 'x', 'one'), (4, 'back\\slash', 'x', 'one'),
  (5, '水', 'x', 'one'), (6, 'upper', 'x', 'one'), (7, '', 'x', 'one'), (8, NULL, 'x', 'one'),
  (9, 'not one of them', 'not one of them', 'one'), (10, 2, 2, 2);
INSERT INTO t (id, e) VALUES (11, 7);
INSERT INTO keyed VALUES ('z', 1, 1), ('x', 1, 1), ('y', 1, 1), ('x', 2, 1);

-- changes
UPDATE t SET e = 'new' WHERE e = 'a,b';
UPDATE t SET e = NULL, g = 'y' WHERE id = 1;
UPDATE keyed SET v = 2 WHERE k = 'x';
UPDATE keyed SET k = 'x', n = 3 WHERE k = 'y';
DELETE FROM keyed WHERE k = 'z';
