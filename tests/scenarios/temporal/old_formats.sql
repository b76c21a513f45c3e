-- title: tables that still hold the temporal formats of before MySQL 5.6
-- servers: mariadb
-- options: {"mysql56_temporal_format": "OFF"}

-- tables
CREATE TABLE t (id INT PRIMARY KEY, t TIME, d DATETIME, s TIMESTAMP NULL, day DATE, y YEAR, g DATETIME NOT NULL);
CREATE TABLE keyed (at DATETIME, v INT, PRIMARY KEY (at));

-- rows
INSERT INTO t VALUES
  (1, '-838:59:59', '1900-01-01 00:00:00', '1970-01-01 00:00:01', '1900-01-01', 1901, '1969-12-31 23:59:59'),
  (2, '838:59:59', '2299-12-31 23:59:59', '2038-01-19 03:14:07', '2299-12-31', 2155, '9999-12-31 23:59:59'),
  (3, '-00:00:01', '2024-02-29 12:34:56', '2024-10-27 00:30:00', '2024-02-29', 0, '2024-10-27 02:30:00'),
  (4, NULL, NULL, NULL, NULL, NULL, '1000-01-01 00:00:00');
INSERT INTO keyed VALUES ('1999-12-31 23:59:59', 1), ('2000-01-01 00:00:00', 1), ('2000-01-01 00:00:01', 1);

-- changes
UPDATE t SET t = '-12:34:56', d = '2000-01-01 00:00:00', s = '2001-09-09 01:46:40' WHERE id IN (1, 4);
UPDATE keyed SET v = 2 WHERE at < '2000-01-01';
DELETE FROM keyed WHERE at = '2000-01-01 00:00:01';
