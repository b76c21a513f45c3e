-- title: geometries with a reference system: the axes stay as they are stored
-- servers: mysql

-- tables
CREATE TABLE t (id INT PRIMARY KEY, p POINT SRID 4326 NOT NULL, g GEOMETRY NULL, SPATIAL INDEX (p));

-- rows
INSERT INTO t VALUES (1, ST_SRID(POINT(13.4, 52.5), 4326), ST_GEOMFROMTEXT('LINESTRING(0 0, 1 1)', 3857)),
  (2, ST_SRID(POINT(-180, -90), 4326), NULL), (3, ST_SRID(POINT(180, 90), 4326), ST_GEOMFROMTEXT('POINT(1 2)', 4326));

-- changes
UPDATE t SET p = ST_SRID(POINT(0, 0), 4326), g = ST_SRID(POINT(1, 2), 0) WHERE id = 2;
