-- title: keys that move: shifted by one, swapped, made negative; each old key is gone and no new one lost

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v INT);
CREATE TABLE pairs (a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b));

-- rows
INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
INSERT INTO pairs VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);

-- changes
UPDATE t SET id = id + 1 ORDER BY id DESC;
UPDATE t SET id = id - 1 WHERE id < 4 ORDER BY id;
BEGIN;
UPDATE t SET id = -1 WHERE id = 1;
UPDATE t SET id = 1 WHERE id = 2;
UPDATE t SET id = 2 WHERE id = -1;
COMMIT;
UPDATE pairs SET a = a + 10, b = 'z' WHERE b = 'x';
UPDATE pairs SET a = 11, b = 'x' WHERE b = 'y';
