-- title: INET4 of MariaDB, as value and in the key
-- servers: mariadb>=10.10

-- tables
CREATE TABLE t (id INT PRIMARY KEY, i INET4 NULL, g INET4 NOT NULL);
CREATE TABLE keyed (k INET4 PRIMARY KEY, v INT);

-- rows
INSERT INTO t VALUES (1, '0.0.0.0', '255.255.255.255'), (2, NULL, '192.0.2.0'), (3, '10.0.0.0', '1.2.3.4');
INSERT INTO keyed VALUES ('0.0.0.0', 1), ('10.0.0.0', 1), ('9.255.255.255', 1), ('255.255.255.255', 1);

-- changes
UPDATE t SET i = '127.0.0.0' WHERE id = 2;
UPDATE keyed SET v = 2 WHERE k = '10.0.0.0';
DELETE FROM keyed WHERE k = '0.0.0.0';
