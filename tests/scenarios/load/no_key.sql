-- title: a table without a key is refused, with the table's name
-- expect error: keyless

-- tables
CREATE TABLE keyless (a INT, b INT, UNIQUE KEY (b));
