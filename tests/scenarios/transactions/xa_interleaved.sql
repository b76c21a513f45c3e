-- title: XA transactions that are prepared while others are prepared, committed and rolled back
-- servers: mysql>=8.0.29
-- expect t: id, v
--   1 | a
--   2 | b
--   3 | plain, then b
--   4 | plain
--   15 | c

-- tables
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 'first'), (2, 'first'), (3, 'first');

-- changes
XA START 'interleaved a';
UPDATE t SET v = 'a' WHERE id = 1;
XA END 'interleaved a';
XA PREPARE 'interleaved a';
XA START 'interleaved c';
INSERT INTO t VALUES (5, 'c');
UPDATE t SET id = 15 WHERE id = 5;
XA END 'interleaved c';
XA PREPARE 'interleaved c';
UPDATE t SET v = 'plain' WHERE id = 3;
XA START 'interleaved b';
UPDATE t SET v = 'b' WHERE id = 2;
UPDATE t SET v = CONCAT(v, ', then b') WHERE id = 3;
XA END 'interleaved b';
XA PREPARE 'interleaved b';
XA START 'interleaved d';
INSERT INTO t VALUES (4, 'rolled back');
XA END 'interleaved d';
XA PREPARE 'interleaved d';
XA COMMIT 'interleaved b';
XA ROLLBACK 'interleaved d';
INSERT INTO t VALUES (4, 'plain');
XA COMMIT 'interleaved c';
XA COMMIT 'interleaved a';
