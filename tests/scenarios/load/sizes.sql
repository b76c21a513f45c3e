-- title: tables of none, one and a few rows, around the edges of a partition of two

-- tables
CREATE TABLE none (id INT PRIMARY KEY, v INT);
CREATE TABLE one (id INT PRIMARY KEY, v INT);
CREATE TABLE two (id INT PRIMARY KEY, v INT);
CREATE TABLE three (a INT, b INT, v INT, PRIMARY KEY (a, b));
CREATE TABLE five (k VARCHAR(10) PRIMARY KEY, v INT);

-- rows
INSERT INTO one VALUES (1, 1);
INSERT INTO two VALUES (1, 1), (2, 2);
INSERT INTO three VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3);
INSERT INTO five VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5);

-- changes
INSERT INTO none VALUES (1, 1);
DELETE FROM one;
INSERT INTO two VALUES (3, 3);
DELETE FROM two WHERE id = 1;
UPDATE three SET v = v * 10 WHERE a = 1;
UPDATE five SET k = 'cc' WHERE k = 'c';
