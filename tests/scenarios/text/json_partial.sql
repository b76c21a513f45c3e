-- title: JSON edits that a session logs only in part
-- servers: mysql

-- tables
CREATE TABLE t (id INT PRIMARY KEY, j JSON, v INT);

-- rows
INSERT INTO t VALUES (1, '{"a": 1, "b": "a text of some length", "c": [1, 2, 3]}', 1), (2, JSON_OBJECT('x', REPEAT('y', 5000), 'n', 1), 2);

-- changes
SET SESSION binlog_row_value_options = 'PARTIAL_JSON';
UPDATE t SET j = JSON_SET(j, '$.a', 2);
UPDATE t SET j = JSON_REPLACE(j, '$.b', 'short', '$.c[1]', 'two') WHERE id = 1;
UPDATE t SET j = JSON_REMOVE(j, '$.x') WHERE id = 2;
UPDATE t SET j = NULL, v = 10 WHERE id = 2;
