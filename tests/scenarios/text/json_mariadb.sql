-- title: JSON of MariaDB is text: it keeps its spaces, the order of keys and double keys
-- servers: mariadb
-- expect t: id, j
--   1 | {"b":  1, "a": 2,"a":3}
--   2 | [1.0, 1e2]
--   3 | "x"

-- tables
CREATE TABLE t (id INT PRIMARY KEY, j JSON NULL);

-- rows
INSERT INTO t VALUES (1, '{"b":  1, "a": 2,"a":3}'), (2, '[ ]'), (3, '"x"');

-- changes
UPDATE t SET j = '[1.0, 1e2]' WHERE id = 2;
