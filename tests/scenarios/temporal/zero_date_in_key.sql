-- title: an all-zero DATETIME in the primary key is refused by the column's name: no rule may merge two rows
-- expect error: key column at holds 0000-00-00 00:00:00

-- tables
CREATE TABLE t (at DATETIME, n INT, v INT, PRIMARY KEY (at, n));

-- rows
SET sql_mode = '';
INSERT INTO t VALUES ('1970-01-01 00:00:00', 1, 1), ('0000-00-00 00:00:00', 1, 2);
