-- title: labels of ENUM and SET beyond utf8mb3, which information_schema shows as '?'
-- expect t: id, e, s
--   1 | 水🚰 | 🚰
--   2 | really? | a,🚰
--   3 | 🚰🚰 | a

-- tables
CREATE TABLE t (
  id INT PRIMARY KEY, e ENUM('水🚰', 'really?', '🚰🚰') CHARACTER SET utf8mb4, s SET('a', '🚰') CHARACTER SET utf8mb4);

-- rows
INSERT INTO t VALUES (1, '水🚰', '🚰'), (2, 'really?', 'a,🚰'), (3, '水🚰', '');

-- changes
UPDATE t SET e = '🚰🚰', s = 'a' WHERE id = 3;
