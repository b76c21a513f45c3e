-- title: SET with 64 members: all of them, none, the highest; a SET in the key

-- tables
CREATE TABLE t (id INT PRIMARY KEY, few SET('x', 'y', 'it''s', '水') CHARACTER SET utf8mb4 NULL, many SET(
    'm0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12', 'm13', 'm14',
    'm15', 'm16', 'm17', 'm18', 'm19', 'm20', 'm21', 'm22', 'm23', 'm24', 'm25', 'm26', 'm27',
    'm28', 'm29', 'm30', 'm31', 'm32', 'm33', 'm34', 'm35', 'm36', 'm37', 'm38', 'm39', 'm40',
    'm41', 'm42', 'm43', 'm44', 'm45', 'm46', 'm47', 'm48', 'm49', 'm50', 'm51', 'm52', 'm53',
    'm54', 'm55', 'm56', 'm57', 'm58', 'm59', 'm60', 'm61', 'm62', 'm63') NOT NULL);
CREATE TABLE keyed (k SET('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'), v INT, PRIMARY KEY (k));

-- rows
INSERT INTO t VALUES (1, 'x,y', 18446744073709551615), (2, '', 0), (3, NULL, 9223372036854775808), (4, '水,it''s', 'm63,m0'),
  (5, 15, 'm32'), (6, 'y,x,y', 4294967295);
INSERT INTO t VALUES (7, 'x',
  'm0,m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21,m22,m23,m24,m25,m26,m27,m28,m29,m30,m31,m32,m33,m34,m35,m36,m37,m38,m39,m40,m41,m42,m43,m44,m45,m46,m47,m48,m49,m50,m51,m52,m53,m54,m55,m56,m57,m58,m59,m60,m61,m62,m63');
INSERT INTO keyed VALUES ('', 1), ('a', 1), ('a,b', 1), ('b', 1), ('i', 1), ('a,b,c,d,e,f,g,h,i', 1);

-- changes
UPDATE t SET many = many ^ 18446744073709551615;
UPDATE t SET few = 'it''s' WHERE FIND_IN_SET('y', few);
UPDATE keyed SET v = 2 WHERE k = 'a,b';
UPDATE keyed SET k = 'h,i' WHERE k = 'i';
DELETE FROM keyed WHERE k = '';
