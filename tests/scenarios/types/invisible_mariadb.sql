-- title: invisible columns are copied as the others
-- servers: mariadb

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v INT, hidden INT INVISIBLE DEFAULT 7, w INT);
CREATE TABLE keyed (id INT INVISIBLE AUTO_INCREMENT PRIMARY KEY, v INT);

-- rows
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO t (id, v, hidden) VALUES (3, 3, NULL);
INSERT INTO keyed VALUES (1), (1), (NULL);

-- changes
UPDATE t SET hidden = 70 WHERE id = 1;
DELETE FROM keyed WHERE id = 1;
