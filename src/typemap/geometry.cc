#include "typemap/geometry.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/byte_reader.h"

namespace penstock::typemap {
namespace {

enum Kind : uint32_t {
  kPoint = 1,
  kLineString,
  kPolygon,
  kMultiPoint,
  kMultiLineString,
  kMultiPolygon,
  kCollection,
};

constexpr std::array<std::string_view, 8> kNames = {
    "",           "POINT",           "LINESTRING",   "POLYGON",
    "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};

// The least that one item takes: with it a hostile count is seen before the loop.
constexpr size_t kCountBytes = 4;
constexpr size_t kPointBytes = 16;
constexpr size_t kGeometryBytes = 9;  // byte order, kind, count

// 100000 rather than 1e+05, which would be a character shorter.
bool ReadsBetterFixed(double number) {
  constexpr double kSmallest = 1e-5;
  constexpr double kLargest = 1e15;
  const double size = std::abs(number);
  return size == 0 || (size >= kSmallest && size < kLargest);
}

// Walks well-known binary. A failure sticks in the reader.
class WktWriter {
 public:
  WktWriter(std::string_view wkb, std::string& out) : reader_(wkb), out_(out) {}

  bool Write() {
    Geometry(0);
    return reader_.ok() && reader_.AtEnd();
  }

 private:
  void Geometry(int depth) {
    const uint32_t kind = Header();
    if (kind < kPoint || kind > kCollection || depth > kGeometryDepthMax) return reader_.Fail();
    out_ += kNames[kind];
    Body(kind, depth);
  }

  // Every geometry, also one inside another, states its byte order.
  uint32_t Header() {
    const uint8_t order = reader_.U8();
    if (order > 1) reader_.Fail();
    big_endian_ = order == 0;
    return U32();
  }

  void Body(uint32_t kind, int depth) {
    switch (kind) {
      case kPoint:
        out_ += '(';
        Coordinates();
        out_ += ')';
        break;
      case kLineString:
        List(kPointBytes, [this] { Coordinates(); });
        break;
      case kPolygon:
        List(kCountBytes, [this] { List(kPointBytes, [this] { Coordinates(); }); });
        break;
      case kCollection:
        List(kGeometryBytes, [this, depth] { Geometry(depth + 1); });
        break;
      default:
        List(kGeometryBytes, [this, kind, depth] { Member(kind - kMultiPoint + kPoint, depth); });
    }
  }

  // A part of a MULTI geometry, whose kind is known: only its body is written.
  void Member(uint32_t kind, int depth) {
    if (Header() != kind) return reader_.Fail();
    Body(kind, depth + 1);
  }

  template <typename Item>
  void List(size_t item_bytes_min, Item item) {
    const uint32_t count = U32();
    if (count > reader_.remaining() / item_bytes_min) return reader_.Fail();
    if (count == 0) {
      out_ += out_.ends_with('(') || out_.ends_with(',') ? "EMPTY" : " EMPTY";
      return;
    }
    out_ += '(';
    for (uint32_t i = 0; i < count && reader_.ok(); ++i) {
      if (i != 0) out_ += ',';
      item();
    }
    out_ += ')';
  }

  void Coordinates() {
    Number();
    out_ += ' ';
    Number();
  }

  void Number() {
    constexpr size_t kDigitsMax = 32;  // "-2.2250738585072014e-308" has 24
    const auto number = std::bit_cast<double>(big_endian_ ? reader_.Big(8) : reader_.Little(8));
    char text[kDigitsMax];
    const auto format = ReadsBetterFixed(number) ? std::chars_format::fixed  //
                                                 : std::chars_format::scientific;
    out_.append(text, std::to_chars(text, text + kDigitsMax, number, format).ptr);
  }

  uint32_t U32() { return static_cast<uint32_t>(big_endian_ ? reader_.Big(4) : reader_.Little(4)); }

  ByteReader reader_;
  std::string& out_;
  bool big_endian_ = false;
};

}  // namespace

bool AppendWkt(std::string_view stored, std::string& out) {
  constexpr size_t kSridBytes = 4;
  if (stored.empty()) return true;
  if (stored.size() < kSridBytes) return false;
  const size_t before = out.size();
  if (WktWriter(stored.substr(kSridBytes), out).Write()) return true;
  out.resize(before);
  return false;
}

}  // namespace penstock::typemap
