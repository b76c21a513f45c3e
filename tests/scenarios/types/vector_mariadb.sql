-- title: VECTOR of MariaDB
-- servers: mariadb>=11.7

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(4) NULL, g VECTOR(2) NOT NULL);

-- rows
INSERT INTO t VALUES (1, VEC_FROMTEXT('[1, -2.5, 0, 7]'), VEC_FROMTEXT('[0.1, 0]')), (2, NULL, VEC_FROMTEXT('[0, 0]'));

-- changes
UPDATE t SET v = VEC_FROMTEXT('[9, 8, 7, 6]') WHERE id = 2;
