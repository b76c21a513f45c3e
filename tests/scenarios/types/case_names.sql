-- title: tables whose names differ only by case

-- tables
CREATE TABLE orders (id INT PRIMARY KEY, v INT);
CREATE TABLE Orders (id INT PRIMARY KEY, w VARCHAR(10));
CREATE TABLE ORDERS (n BIGINT, id INT, PRIMARY KEY (n, id));

-- rows
INSERT INTO orders VALUES (1, 1), (2, 2);
INSERT INTO Orders VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO ORDERS VALUES (1, 1);

-- changes
UPDATE orders SET v = 20 WHERE id = 2;
DELETE FROM Orders WHERE id = 2;
INSERT INTO ORDERS VALUES (1, 2), (2, 1);
