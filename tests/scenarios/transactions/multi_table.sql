-- title: UPDATE and DELETE of several tables at once, one of them not in the pipe
-- mapping aside: null

-- tables
CREATE TABLE a (id INT PRIMARY KEY, v INT);
CREATE TABLE b (id INT PRIMARY KEY, a INT, v INT);
CREATE TABLE aside (id INT PRIMARY KEY, v INT);

-- rows
INSERT INTO a VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO b VALUES (10, 1, 1), (11, 1, 2), (20, 2, 3), (30, 3, 4);
INSERT INTO aside VALUES (1, 1), (2, 2), (3, 3);

-- changes
UPDATE a JOIN b ON b.a = a.id JOIN aside ON aside.id = a.id SET a.v = a.v + 100, b.v = b.v * 10, aside.v = 0 WHERE a.id < 3;
DELETE a, b, aside FROM a JOIN b ON b.a = a.id JOIN aside ON aside.id = a.id WHERE a.id = 2;
DELETE b FROM b JOIN a ON b.a = a.id WHERE a.v = 3;
UPDATE a SET id = id + 10;
