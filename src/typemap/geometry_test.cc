#include "typemap/geometry.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::typemap {
namespace {

using namespace std::string_literals;

// The bytes of well-known binary, in either byte order.
class Wkb {
 public:
  explicit Wkb(bool big_endian = false) : big_endian_(big_endian) {}

  Wkb& Geometry(uint32_t kind) {
    bytes_ += big_endian_ ? '\0' : '\1';
    return U32(kind);
  }
  Wkb& U32(uint32_t value) { return Append(value, 4); }
  Wkb& Numbers(const std::vector<double>& numbers) {
    for (const double number : numbers) Append(std::bit_cast<uint64_t>(number), 8);
    return *this;
  }
  Wkb& Add(const Wkb& other) {
    bytes_ += other.bytes_;
    return *this;
  }
  std::string Stored() const { return "\xe6\x10\0\0"s + bytes_; }

 private:
  Wkb& Append(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (big_endian_ ? bytes - 1 - i : i);
      bytes_ += static_cast<char>(value >> shift & 0xff);
    }
    return *this;
  }

  bool big_endian_;
  std::string bytes_;
};

Wkb Point(double x, double y) { return Wkb().Geometry(1).Numbers({x, y}); }

std::string Wkt(const Wkb& wkb) {
  std::string text;
  return AppendWkt(wkb.Stored(), text) ? text : "refused" + text;
}

TEST(GeometryTest, EachKind) {
  EXPECT_EQ(Wkt(Point(1, -2.5)), "POINT(1 -2.5)");
  EXPECT_EQ(Wkt(Wkb().Geometry(2).U32(2).Numbers({0, 0, 1, 1})), "LINESTRING(0 0,1 1)");
  EXPECT_EQ(Wkt(Wkb()
                    .Geometry(3)
                    .U32(2)
                    .U32(4)
                    .Numbers({0, 0, 10, 0, 10, 10, 0, 0})
                    .U32(4)
                    .Numbers({5, 5, 7, 5, 7, 7, 5, 5})),
            "POLYGON((0 0,10 0,10 10,0 0),(5 5,7 5,7 7,5 5))");
  EXPECT_EQ(Wkt(Wkb().Geometry(4).U32(2).Add(Point(0, 0)).Add(Point(1, 1))),
            "MULTIPOINT((0 0),(1 1))");
  const Wkb line = Wkb().Geometry(2).U32(2).Numbers({2, 2, 3, 3});
  EXPECT_EQ(Wkt(Wkb().Geometry(5).U32(2).Add(line).Add(line)),
            "MULTILINESTRING((2 2,3 3),(2 2,3 3))");
  const Wkb polygon = Wkb().Geometry(3).U32(1).U32(3).Numbers({1, 1, 2, 2, 1, 1});
  EXPECT_EQ(Wkt(Wkb().Geometry(6).U32(2).Add(polygon).Add(polygon)),
            "MULTIPOLYGON(((1 1,2 2,1 1)),((1 1,2 2,1 1)))");
  EXPECT_EQ(Wkt(Wkb().Geometry(7).U32(2).Add(Point(1, 2)).Add(line)),
            "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(2 2,3 3))");
}

TEST(GeometryTest, WithNothingInIt) {
  const Wkb empty = Wkb().Geometry(7).U32(0);
  EXPECT_EQ(Wkt(empty), "GEOMETRYCOLLECTION EMPTY");
  EXPECT_EQ(Wkt(Wkb().Geometry(7).U32(2).Add(empty).Add(empty)),
            "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY,GEOMETRYCOLLECTION EMPTY)");
  EXPECT_EQ(Wkt(Wkb().Geometry(2).U32(0)), "LINESTRING EMPTY");
  EXPECT_EQ(Wkt(Wkb().Geometry(3).U32(1).U32(0)), "POLYGON(EMPTY)");
  std::string text;
  EXPECT_TRUE(AppendWkt("", text));
  EXPECT_EQ(text, "");
}

TEST(GeometryTest, EachPartHasItsOwnByteOrder) {
  EXPECT_EQ(Wkt(Wkb(true)
                    .Geometry(7)
                    .U32(2)
                    .Add(Point(1, 2))
                    .Add(Wkb(true).Geometry(2).U32(1).Numbers({3, 4.25}))),
            "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(3 4.25))");
}

TEST(GeometryTest, NumbersAreShortAndExact) {
  EXPECT_EQ(Wkt(Point(100000, 0.1)), "POINT(100000 0.1)");
  EXPECT_EQ(Wkt(Point(999999999999999, 1e15)), "POINT(999999999999999 1e+15)");
  EXPECT_EQ(Wkt(Point(0.00001, 0.0000099)), "POINT(0.00001 9.9e-06)");
  EXPECT_EQ(Wkt(Point(-0.0, 5e-324)), "POINT(-0 5e-324)");
  EXPECT_EQ(Wkt(Point(0.30000000000000004, -1.7976931348623157e308)),
            "POINT(0.30000000000000004 -1.7976931348623157e+308)");
}

TEST(GeometryTest, NumbersReadBack) {
  EXPECT_TRUE(rc::check([](uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(number == number);
    const std::string text = Wkt(Point(number, 0));
    RC_ASSERT(std::strtod(text.c_str() + 6, nullptr) == number);
  }));
}

TEST(GeometryTest, RefusesOtherBytes) {
  EXPECT_EQ(Wkt(Wkb()), "refused");
  EXPECT_EQ(Wkt(Wkb().Geometry(0).U32(0)), "refused");
  EXPECT_EQ(Wkt(Wkb().Geometry(8).U32(0)), "refused");
  EXPECT_EQ(Wkt(Wkb().Geometry(1001).Numbers({1, 2, 3})), "refused") << "a point with a height";
  EXPECT_EQ(Wkt(Wkb().Geometry(1).Numbers({1})), "refused");
  EXPECT_EQ(Wkt(Point(1, 2).U32(0)), "refused") << "bytes after it";
  EXPECT_EQ(Wkt(Wkb().Geometry(4).U32(1).Add(Wkb().Geometry(2).U32(0))), "refused");
  for (const uint32_t kind : {2U, 3U, 4U, 5U, 6U, 7U}) {
    EXPECT_EQ(Wkt(Wkb().Geometry(kind).U32(0xffffffff)), "refused") << kind;
  }
  std::string text = "kept";
  EXPECT_FALSE(AppendWkt("abc", text));
  EXPECT_FALSE(AppendWkt("\0\0\0\0\2\1\0\0\0"s, text)) << "neither byte order";
  EXPECT_EQ(text, "kept");
}

TEST(GeometryTest, NestsSoDeepAndNoDeeper) {
  const auto nested = [](int depth) {
    Wkb wkb;
    for (int i = 0; i < depth; ++i) wkb.Geometry(7).U32(1);
    return Wkt(wkb.Add(Point(1, 2)));
  };
  EXPECT_TRUE(nested(kGeometryDepthMax).starts_with("GEOMETRYCOLLECTION(GEOMETRYCOLLECTION("));
  EXPECT_EQ(nested(kGeometryDepthMax + 1), "refused");
  EXPECT_EQ(nested(1'000'000), "refused");
}

}  // namespace
}  // namespace penstock::typemap
