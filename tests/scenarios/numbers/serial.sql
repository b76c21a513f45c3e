-- title: SERIAL, alone (a unique key, not the primary one) and as primary key; id 0 that was stored on purpose

-- tables
CREATE TABLE alone (id SERIAL, v INT);
CREATE TABLE main (id SERIAL PRIMARY KEY, v INT);
CREATE TABLE zero (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v INT);

-- rows
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO alone (v) VALUES (1), (2), (3);
INSERT INTO alone VALUES (9223372036854775807, 4), (9223372036854775808, 5), (0, 6);
INSERT INTO main (v) VALUES (1), (2);
INSERT INTO main VALUES (18446744073709551614, 3), (0, 4);
INSERT INTO zero VALUES (0, 1), (5, 2);
INSERT INTO zero (v) VALUES (3);

-- changes
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
UPDATE alone SET v = v * 10;
UPDATE main SET v = 40 WHERE id = 0;
DELETE FROM alone WHERE id = 0;
UPDATE zero SET v = 10 WHERE id = 0;
UPDATE zero SET id = 0, v = 20 WHERE id = 5 AND NOT EXISTS (SELECT * FROM (SELECT * FROM zero WHERE id = 0) AS taken);
DELETE FROM main WHERE id = 18446744073709551614;
