-- title: fractions of a second in the format of MariaDB 5.3 are refused by the column's name
-- servers: mariadb
-- options: {"mysql56_temporal_format": "OFF"}
-- expect error: column d has type datetime(6) /* mariadb-5.3 */

-- tables
CREATE TABLE t (id INT PRIMARY KEY, d DATETIME(6));
