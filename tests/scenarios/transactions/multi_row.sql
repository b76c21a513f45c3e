-- title: multi-row INSERT, REPLACE, INSERT IGNORE, INSERT ... ON DUPLICATE KEY UPDATE, INSERT ... SELECT

-- tables
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, k INT, v VARCHAR(20), UNIQUE KEY (k));
CREATE TABLE copy (id INT PRIMARY KEY, v VARCHAR(20));

-- rows
INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c'), (4, 40, 'd');
REPLACE INTO t VALUES (2, 20, 'B'), (5, 50, 'e');
REPLACE INTO t VALUES (6, 30, 'c by another id');
INSERT IGNORE INTO t VALUES (1, 11, 'ignored'), (7, 70, 'g'), (8, 10, 'ignored');
INSERT INTO t VALUES (1, 10, 'x'), (9, 90, 'i') ON DUPLICATE KEY UPDATE v = 'updated';
INSERT INTO t (k, v) VALUES (40, 'x') ON DUPLICATE KEY UPDATE v = CONCAT(v, '+');
INSERT INTO copy SELECT id, v FROM t;

-- changes
REPLACE INTO t VALUES (1, 20, 'for two rows');
INSERT INTO t VALUES (5, 50, 'x') ON DUPLICATE KEY UPDATE id = 55;
INSERT INTO t VALUES (7, 70, 'g') ON DUPLICATE KEY UPDATE v = 'g';
REPLACE INTO copy SELECT id + 1, v FROM t;
DELETE FROM copy WHERE id > 8;
