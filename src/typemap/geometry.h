#pragma once

#include <string>
#include <string_view>

namespace penstock::typemap {

// Appends a geometry as well-known text: "POINT(1 2)", "POLYGON((0 0,10 0,10 10,0 0))",
// "MULTIPOINT((0 0),(1 1))", "GEOMETRYCOLLECTION EMPTY". Numbers have the fewest digits that read
// back as the same double, with an exponent below 1e-5 and from 1e15 on; coordinates stand in the
// order stored (x y, so longitude first, which is MySQL's axis-order=long-lat). The SRID is not
// shown.
//
// `stored` is the servers' own form: the SRID in four bytes little-endian, then well-known binary
// of either byte order; or nothing, as MariaDB without strict mode stores what a NOT NULL column
// was not given, for which nothing is appended. False when it is anything else, also when
// geometries nest deeper than kGeometryDepthMax; `out` is then as it was. Time and space are linear
// in the bytes given. https://dev.mysql.com/doc/refman/en/gis-data-formats.html
bool AppendWkt(std::string_view stored, std::string& out);

inline constexpr int kGeometryDepthMax = 1000;

}  // namespace penstock::typemap
