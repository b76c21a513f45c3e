-- title: UUID and INET6 of MariaDB, as values and in the key
-- servers: mariadb>=10.7

-- tables
CREATE TABLE t (id INT PRIMARY KEY, u UUID NULL, i6 INET6 NULL, ug UUID NOT NULL);
CREATE TABLE by_uuid (k UUID PRIMARY KEY, v INT);
CREATE TABLE by_inet (k INET6 PRIMARY KEY, v INT);

-- rows
INSERT INTO t VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '00000000-0000-0000-0000-000000000000'),
  (2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', '::', 'f81d4fae-7dec-11d0-a765-00a0c91e6b00'),
  (3, NULL, NULL, '0190163d-8694-739b-aea5-966c26f8ad90'), (4, '00000000-0000-4000-8000-000000000000', '::ffff:192.0.2.1', UUID());
UPDATE t SET ug = '6ccd780c-baba-1026-9564-5b8c656024db' WHERE id = 4;
INSERT INTO by_uuid VALUES ('123e4567-e89b-12d3-a456-426655440000', 1), ('00000000-0000-0000-0000-000000000000', 1),
  ('0190163d-8694-739b-aea5-966c26f8ad90', 1), ('ffffffff-0000-1000-8000-000000000100', 1);
INSERT INTO by_inet VALUES ('::', 1), ('::1', 1), ('ff02::1', 1), ('::ffff:10.0.0.0', 1);

-- changes
UPDATE t SET u = 'f81d4fae-7dec-11d0-a765-000000000000', i6 = 'fe80::' WHERE id = 1;
UPDATE by_uuid SET v = 2 WHERE k = '0190163d-8694-739b-aea5-966c26f8ad90';
DELETE FROM by_uuid WHERE k = '123e4567-e89b-12d3-a456-426655440000';
UPDATE by_inet SET k = '::2' WHERE k = '::1';
DELETE FROM by_inet WHERE k = '::';
