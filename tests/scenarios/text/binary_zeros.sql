-- title: BINARY(16) with trailing zero bytes, in the key and not in it

-- tables
CREATE TABLE t (id INT PRIMARY KEY, b BINARY(16) NULL, g BINARY(16) NOT NULL, v VARBINARY(16) NULL, b0 BINARY(1));
CREATE TABLE keyed (k BINARY(16), v INT, PRIMARY KEY (k));
CREATE TABLE keyed_var (k VARBINARY(16), v INT, PRIMARY KEY (k));
CREATE TABLE ids (tenant BINARY(16), id BINARY(16), v INT, PRIMARY KEY (tenant, id));

-- rows
INSERT INTO t VALUES (1, x'00', x'', x'00', x'00'), (2, x'FF00', x'00FF00', x'FF00', x'20'),
  (3, REPEAT(x'00', 16), REPEAT(x'FF', 16), REPEAT(x'00', 16), x'FF'), (4, NULL, x'2020', x'', NULL),
  (5, x'0123456789ABCDEF0123456789ABCD00', x'0123456789ABCDEF0123456789AB0000', x'0123456789ABCDEF01234567890000', x'0A');
INSERT INTO keyed VALUES (x'', 1), (x'01', 1), (x'01000000000000000000000000000001', 1);
INSERT INTO keyed VALUES (x'FF', 1), (x'FF20', 1), (REPEAT(x'FF', 16), 1), (x'610000', 1);
INSERT INTO keyed_var VALUES (x'', 1), (x'00', 1), (x'0000', 1), (x'61', 1), (x'6100', 1), (x'6120', 1);
INSERT INTO ids VALUES (x'AA00', x'00', 1), (x'AA00', x'BB0000', 1), (x'AA', x'CC', 1), (x'', x'', 1);

-- changes
UPDATE t SET b = x'AB00', v = x'AB00' WHERE id = 1;
UPDATE keyed SET v = 2 WHERE k = CAST(x'FF' AS BINARY(16));
UPDATE keyed SET k = x'6100' WHERE k = CAST(x'610000' AS BINARY(16));
DELETE FROM keyed WHERE k = CAST(x'' AS BINARY(16));
UPDATE keyed_var SET v = 2 WHERE k = x'6100';
UPDATE keyed_var SET k = x'000000' WHERE k = x'00';
DELETE FROM keyed_var WHERE k = x'61';
UPDATE ids SET id = x'DD00' WHERE id = CAST(x'CC' AS BINARY(16));
DELETE FROM ids WHERE tenant = CAST(x'' AS BINARY(16));
