-- title: MyISAM and Aria: every statement is logged by itself and has no XID; nothing undoes it
-- expect m: id, v
--   1 | one
--   2 | changed
--   4 | four

-- tables
CREATE TABLE m (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=MyISAM;
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)) /*M! ENGINE=Aria */ /*!80000 ENGINE=MyISAM */;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=InnoDB;

-- rows
INSERT INTO m VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO a SELECT * FROM m;
INSERT INTO t SELECT * FROM m;
INSERT IGNORE INTO m VALUES (4, 'four'), (1, 'not new');

-- changes
UPDATE m SET v = 'changed' WHERE id = 2;
DELETE FROM m WHERE id = 3;
REPLACE INTO a VALUES (3, 'replaced'), (4, 'new');
BEGIN;
UPDATE t SET v = 'undone';
ROLLBACK;
UPDATE a SET id = id + 10 WHERE id < 3;
BEGIN;
UPDATE t SET v = 'kept' WHERE id = 1;
COMMIT;
TRUNCATE TABLE a;
INSERT INTO a VALUES (1, 'after the TRUNCATE');
