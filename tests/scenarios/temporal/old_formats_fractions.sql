-- title: fractions of a second in the format of MariaDB 5.3
-- servers: mariadb
-- options: {"mysql56_temporal_format": "OFF"}

-- tables
CREATE TABLE t (id INT PRIMARY KEY, d6 DATETIME(6), d1 DATETIME(1), s3 TIMESTAMP(3) NULL, h2 TIME(2), h6 TIME(6));

-- rows
INSERT INTO t VALUES (1, '2024-02-29 23:59:59.999999', '1970-01-01 00:00:00.5', '2024-03-31 01:30:00.125', '-838:59:58.99', '00:00:00.000001'),
  (2, NULL, NULL, NULL, NULL, NULL);

-- changes
UPDATE t SET d6 = '1900-01-01 00:00:00.000001', h6 = '-00:00:00.000001';
