-- title: JSON null, SQL NULL and a missing key are three things
-- expect t: id, j
--   1 | null
--   2 | \N
--   3 | {"a": null}
--   4 | {}
--   5 | \N
--   6 | null
--   7 | [null, {"b": null}]
--   8 | "null"

-- tables
CREATE TABLE t (id INT PRIMARY KEY, j JSON NULL);
CREATE TABLE given (id INT PRIMARY KEY, j JSON NOT NULL);

-- rows
INSERT INTO t VALUES (1, 'null'), (2, NULL), (3, '{"a": null}'), (4, '{}'), (5, 'null'), (6, NULL), (7, '[null, {"b": null}]'), (8, '"null"');
INSERT INTO given VALUES (1, 'null'), (2, '{"a": null}'), (3, '{}'), (4, '"null"'), (5, '""');

-- changes
UPDATE t SET j = NULL WHERE id = 5;
UPDATE t SET j = 'null' WHERE id = 6;
UPDATE given SET j = '{"a": null}' WHERE id = 3;
DELETE FROM given WHERE id = 4;
