-- title: all-zero and partial dates: NULL where the column may be NULL, else 1970-01-01
-- expect t: id, d, dt, ts, d_given, dt_given, ts_given
--   1 | \N | \N | \N | 1970-01-01 | 1970-01-01 00:00:00.000 | 1970-01-01 00:00:00
--   2 | \N | \N | \N | 1970-01-01 | 1970-01-01 00:00:00.000 | 1970-01-01 00:00:00
--   3 | \N | \N | \N | 1970-01-01 | 1970-01-01 00:00:00.000 | 1970-01-01 00:00:00
--   4 | 2024-02-29 | 2024-02-29 01:02:03 | 2024-02-29 01:02:03 | 2024-02-29 | 2024-02-29 01:02:03.456 | 2024-02-29 01:02:03
--   5 | \N | \N | \N | 1970-01-01 | 1970-01-01 00:00:00.000 | 1970-01-01 00:00:00
--   6 | \N | \N | \N | 1970-01-01 | 1970-01-01 00:00:00.000 | 1970-01-01 00:00:00

-- tables
SET sql_mode = '';
CREATE TABLE t (
  id INT PRIMARY KEY, d DATE NULL, dt DATETIME NULL, ts TIMESTAMP NULL,
  d_given DATE NOT NULL DEFAULT '0000-00-00', dt_given DATETIME(3) NOT NULL DEFAULT '0000-00-00 00:00:00',
  ts_given TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00');

-- rows
SET sql_mode = '';
INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, '2024-00-15', '2024-02-00 10:00:00', NULL, '2024-00-00', '0000-01-00', '0000-00-00');
INSERT INTO t VALUES (4, '2024-02-29', '2024-02-29 01:02:03', '2024-02-29 01:02:03', '2024-02-29', '2024-02-29 01:02:03.456', '2024-02-29 01:02:03');

-- changes
SET sql_mode = '';
INSERT INTO t (id) VALUES (5);
INSERT INTO t SELECT 6, d_given, dt_given, ts_given, d_given, dt_given, ts_given FROM t WHERE id = 2;
UPDATE t SET d = '0000-00-00' WHERE id = 2;
