-- title: keys that differ only by trailing spaces, in a collation that does not pad
-- servers: mariadb

-- tables
CREATE TABLE keyed (k VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, n INT, v INT, PRIMARY KEY (k, n));

-- rows
INSERT INTO keyed VALUES ('a', 1, 1), ('a ', 1, 2), ('a  ', 1, 3), ('', 1, 4), (' ', 1, 5), ('a', 2, 6);

-- changes
UPDATE keyed SET v = v * 10 WHERE k = 'a ';
DELETE FROM keyed WHERE k = 'a';
