-- title: VECTOR of MySQL
-- servers: mysql>=9

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(4) NULL, big VECTOR NULL);

-- rows
INSERT INTO t VALUES (1, STRING_TO_VECTOR('[1, -2.5, 0, 3.5e37]'), STRING_TO_VECTOR('[0.1]')), (2, NULL, NULL),
  (3, STRING_TO_VECTOR('[0.1, 0.2]'), STRING_TO_VECTOR('[1e-30, -0.5, 7]'));

-- changes
UPDATE t SET v = STRING_TO_VECTOR('[9, 8, 7, 6]') WHERE id = 2;
