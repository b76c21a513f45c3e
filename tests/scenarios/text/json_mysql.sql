-- title: JSON of MySQL: every kind of value, keys in its order, edits by its functions, documents above 64 KiB
-- servers: mysql

-- tables
CREATE TABLE t (id INT PRIMARY KEY, j JSON NULL);

-- rows
INSERT INTO t VALUES (1, '[true, false, 0, -1, 1.5, 1e100, 18446744073709551615, -9223372036854775808, "", "水🚰"]'),
  (2, '{"bb": 1, "a": 2, "": 3, "B": {"x": [[], {}, [[]]]}}'), (3, '{"a": 1, "a": 2}'),
  (4, JSON_OBJECT('date', CAST('2024-02-29' AS DATE), 'time', CAST('-12:34:56.789' AS TIME(6)),
                  'moment', CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)), 'dec', 123.4500, 'bin', x'00FF')),
  (5, JSON_ARRAY(REPEAT('x', 70000), 1)), (6, '"\\u0000\\u001f\\"\\\\/\\b\\f\\n\\r\\t"'), (7, '1e-7'), (8, '1.0'), (9, '100000000000000000000000');
INSERT INTO t SELECT 10, JSON_OBJECTAGG(CONCAT('key', a.n, '_', b.n), a.n * b.n) FROM
  (SELECT 1 AS n UNION SELECT 2 UNION SELECT 300 UNION SELECT 70000) a, (SELECT 1 AS n UNION SELECT 5 UNION SELECT 5000000000) b;

-- changes
UPDATE t SET j = JSON_SET(j, '$.a', 'longer than it was', '$.new', JSON_ARRAY(1, NULL)) WHERE id = 2;
UPDATE t SET j = JSON_REPLACE(j, '$[0]', 'short') WHERE id = 5;
UPDATE t SET j = JSON_REMOVE(j, '$.key1_1') WHERE id = 10;
DELETE FROM t WHERE id = 1;
