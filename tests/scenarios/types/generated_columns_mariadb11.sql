-- title: generated columns that the log does not hold are refused by name
-- servers: mariadb>=11.0
-- expect error: column twice is generated

-- tables
CREATE TABLE t (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) VIRTUAL, b VARCHAR(20), both_words VARCHAR(50) AS (CONCAT(b, '/', a)) STORED,
  after_all INT);
