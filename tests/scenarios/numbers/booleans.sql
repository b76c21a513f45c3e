-- title: BOOLEAN and BIT(1) as Bool when the pipe asks for it; every non-zero TINYINT(1) is true
-- settings: {"tinyint1isBool": true}
-- expect t: id, a, b, c, d
--   1 | true | true | 1 | 1
--   2 | false | false | 0 | 2
--   3 | \N | \N | \N | \N
--   4 | true | true | 127 | 3

-- tables
CREATE TABLE t (id INT PRIMARY KEY, a BOOLEAN, b BIT(1), c TINYINT(4), d BIT(2));

-- rows
INSERT INTO t VALUES (1, TRUE, b'1', 1, 1), (2, FALSE, b'0', 0, 2), (3, NULL, NULL, NULL, NULL);

-- changes
INSERT INTO t VALUES (4, FALSE, b'1', 127, 3), (5, TRUE, b'0', 5, 0);
UPDATE t SET a = TRUE WHERE id = 4;
DELETE FROM t WHERE id = 5;
