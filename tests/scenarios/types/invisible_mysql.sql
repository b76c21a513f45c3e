-- title: invisible columns are copied as the others; the generated invisible primary key is the key
-- servers: mysql

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v INT, hidden INT INVISIBLE DEFAULT 7, w INT);
SET sql_generate_invisible_primary_key = ON;
CREATE TABLE keyless (v INT);

-- rows
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO t (id, v, hidden) VALUES (3, 3, NULL);
INSERT INTO keyless VALUES (1), (1), (NULL);

-- changes
UPDATE t SET hidden = 70 WHERE id = 1;
DELETE FROM keyless WHERE my_row_id = 1;
UPDATE keyless SET v = 5 WHERE v IS NULL;
