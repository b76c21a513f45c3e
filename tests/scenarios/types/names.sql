-- title: reserved words, quotes, spaces and dots as names; quotes and backslashes in defaults and comments

-- tables
CREATE TABLE `select` (
  `key` INT PRIMARY KEY, `order` VARCHAR(20) DEFAULT 'a,b' COMMENT 'it''s "quoted"; -- with `ticks` \\ and a semicolon',
  `from` INT DEFAULT 0, `a b` INT, `a.b` INT, `a``b` INT, `a"b` INT, `a'b` INT, `a\b` INT, `index` ENUM('a,b', 'c''d') DEFAULT 'c''d',
  `水` INT, `_` INT, `1` INT, `FINAL` INT) COMMENT 'DROP TABLE `select`';
CREATE TABLE `a b.c` (`the key` VARCHAR(10) DEFAULT 'it''s\\', v INT, PRIMARY KEY (`the key`));
SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
CREATE TABLE "group" ("id" INT PRIMARY KEY, "desc" VARCHAR(20) DEFAULT 'back\slash', "v" CHAR(1) DEFAULT '"');

-- rows
INSERT INTO `select` VALUES (1, 'x', 1, 2, 3, 4, 5, 6, 7, 'a,b', 8, 9, 10, 11);
INSERT INTO `select` (`key`) VALUES (2), (3);
INSERT INTO `a b.c` VALUES ('one', 1), ('it''s', 2);
INSERT INTO `a b.c` (v) VALUES (3);
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
INSERT INTO "group" ("id") VALUES (1), (2);
INSERT INTO "group" VALUES (3, 'a\b', '\');

-- changes
UPDATE `select` SET `order` = 'y', `a``b` = 40 WHERE `key` = 1;
DELETE FROM `select` WHERE `key` = 2;
UPDATE `a b.c` SET v = 30 WHERE `the key` = 'it''s\\';
UPDATE `group` SET v = 'z' WHERE id = 1;
