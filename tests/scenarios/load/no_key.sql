-- title: a table without a key is refused, with the table's name
-- expect error: load_no_key_before.keyless has neither a primary key

-- tables
CREATE TABLE keyless (a INT, b INT, UNIQUE KEY (b));
