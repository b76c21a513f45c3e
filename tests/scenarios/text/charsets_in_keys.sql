-- title: keys in character sets other than UTF-8, of ENUM and SET labels too

-- tables
CREATE TABLE latin (k VARCHAR(20) CHARACTER SET latin1, v INT, PRIMARY KEY (k));
CREATE TABLE wide (k VARCHAR(20) CHARACTER SET utf16, v INT, PRIMARY KEY (k));
CREATE TABLE gbk (k CHAR(20) CHARACTER SET gbk, v INT, PRIMARY KEY (k));
CREATE TABLE labels (id INT PRIMARY KEY, e ENUM('é', 'ß') CHARACTER SET latin1, s SET('ä', 'ö') CHARACTER SET latin1, v INT);

-- rows
INSERT INTO latin VALUES ('a', 1), ('z', 1), ('é€', 1), ('', 1), ('ß', 1);
INSERT INTO wide VALUES ('a', 1), ('水', 1), ('🚰', 1), ('', 1);
INSERT INTO gbk VALUES ('a', 1), ('水', 1), ('火', 1);
INSERT INTO labels VALUES (1, 'é', 'ä,ö', 1), (2, 'ß', '', 1), (3, NULL, NULL, 1);

-- changes
UPDATE latin SET v = 2 WHERE k = 'é€';
UPDATE latin SET k = 'zz' WHERE k = 'z';
DELETE FROM latin WHERE k = 'ß';
UPDATE wide SET v = 2 WHERE k = '🚰';
DELETE FROM wide WHERE k = '水';
UPDATE gbk SET k = '木' WHERE k = '火';
UPDATE labels SET e = 'ß', s = 'ö' WHERE id = 1;
