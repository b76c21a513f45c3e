-- title: child rows that a foreign key changes and deletes (MySQL 9 logs them; MariaDB does not, which check says)
-- servers: mysql>=9.6

-- tables
CREATE TABLE parent (id INT PRIMARY KEY, v INT);
CREATE TABLE child (id INT PRIMARY KEY, parent INT, v INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE orphan (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE SET NULL);

-- rows
INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO child VALUES (10, 1, 1), (11, 1, 2), (20, 2, 3), (30, 3, 4);
INSERT INTO orphan VALUES (100, 1), (300, 3);

-- changes
DELETE FROM parent WHERE id = 1;
UPDATE parent SET id = 5 WHERE id = 2;
