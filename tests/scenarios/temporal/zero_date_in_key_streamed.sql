-- title: an all-zero DATE in the primary key that comes while streaming is refused by the column's name
-- expect error: key column day holds 0000-00-00

-- tables
CREATE TABLE t (day DATE PRIMARY KEY, v INT);

-- rows
SET sql_mode = '';
INSERT INTO t SELECT '2024-01-01', 1 FROM DUAL WHERE DATABASE() LIKE '%before';
INSERT INTO t SELECT '0000-00-00', 1 FROM DUAL WHERE DATABASE() LIKE '%while';
