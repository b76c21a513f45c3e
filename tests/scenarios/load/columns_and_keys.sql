-- title: excluded columns, a sorting key of one's own, a unique key in place of a primary one
-- mapping chosen: {"excludedColumns": ["secret", "blob"]}
-- mapping sorted: {"useCustomSortingKey": true, "sortingKeys": ["region", "id"]}

-- tables
CREATE TABLE chosen (id INT PRIMARY KEY, secret VARCHAR(20), v INT, `blob` BLOB, w INT);
CREATE TABLE sorted (id INT PRIMARY KEY, region VARCHAR(10) NOT NULL, v INT);
CREATE TABLE uniq (v INT, a INT NOT NULL, b VARCHAR(10) NOT NULL, UNIQUE KEY (b, a), KEY (v));

-- rows
INSERT INTO chosen VALUES (1, 'hush', 1, 'x', 1), (2, NULL, NULL, NULL, 2);
INSERT INTO sorted VALUES (1, 'north', 1), (2, 'south', 2), (3, 'north', 3);
INSERT INTO uniq VALUES (1, 1, 'a'), (2, 1, 'b'), (NULL, 2, 'a');

-- changes
UPDATE chosen SET secret = 'more' WHERE id = 1;
UPDATE chosen SET w = NULL WHERE id = 2;
UPDATE sorted SET region = 'east' WHERE id = 1;
DELETE FROM sorted WHERE id = 3;
UPDATE uniq SET b = 'c' WHERE v = 1;
DELETE FROM uniq WHERE v IS NULL;
