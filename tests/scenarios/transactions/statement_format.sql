-- title: a session that logs statements: its table is quarantined, not changed in silence
-- expect error: was logged as text instead of

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'a');
SET SESSION binlog_format = STATEMENT;
UPDATE t SET v = 'changed' WHERE id = 1;
