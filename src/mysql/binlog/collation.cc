#include "mysql/binlog/collation.h"

#include <algorithm>
#include <array>

namespace penstock::binlog {
namespace {

// information_schema.COLLATIONS of MySQL 9.7, MariaDB 10.11 and 11.8, which agree: the first
// numbers one by one, then ranges, some of whose numbers are of no collation.
constexpr std::array<std::string_view, 100> kFirst = {
    "",         "big5",    "latin2",  "dec8",    "cp850",   "latin1",   "hp8",     "koi8r",
    "latin1",   "latin2",  "swe7",    "ascii",   "ujis",    "sjis",     "cp1251",  "latin1",
    "hebrew",   "",        "tis620",  "euckr",   "latin7",  "latin2",   "koi8u",   "cp1251",
    "gb2312",   "greek",   "cp1250",  "latin2",  "gbk",     "cp1257",   "latin5",  "latin1",
    "armscii8", "utf8mb3", "cp1250",  "ucs2",    "cp866",   "keybcs2",  "macce",   "macroman",
    "cp852",    "latin7",  "latin7",  "macce",   "cp1250",  "utf8mb4",  "utf8mb4", "latin1",
    "latin1",   "latin1",  "cp1251",  "cp1251",  "cp1251",  "macroman", "utf16",   "utf16",
    "utf16le",  "cp1256",  "cp1257",  "cp1257",  "utf32",   "utf32",    "utf16le", "binary",
    "armscii8", "ascii",   "cp1250",  "cp1256",  "cp866",   "dec8",     "greek",   "hebrew",
    "hp8",      "keybcs2", "koi8r",   "koi8u",   "utf8mb3", "latin2",   "latin5",  "latin7",
    "cp850",    "cp852",   "swe7",    "utf8mb3", "big5",    "euckr",    "gb2312",  "gbk",
    "sjis",     "tis620",  "ucs2",    "ujis",    "geostd8", "geostd8",  "latin1",  "cp932",
    "cp932",    "eucjpms", "eucjpms", "cp1250"};

struct Range {
  uint64_t last;
  std::string_view charset;
};
constexpr std::array kRanges = {
    Range{100, ""},        Range{124, "utf16"},  Range{127, ""},         Range{159, "ucs2"},
    Range{183, "utf32"},   Range{191, ""},       Range{223, "utf8mb3"},  Range{247, "utf8mb4"},
    Range{250, "gb18030"}, Range{254, ""},       Range{323, "utf8mb4"},  Range{575, ""},
    Range{579, "utf8mb3"}, Range{607, ""},       Range{611, "utf8mb4"},  Range{639, ""},
    Range{642, "ucs2"},    Range{671, ""},       Range{674, "utf16"},    Range{735, ""},
    Range{738, "utf32"},   Range{2047, ""},      Range{2303, "utf8mb3"}, Range{2559, "utf8mb4"},
    Range{2815, "ucs2"},   Range{3071, "utf16"}, Range{3327, "utf32"}};

}  // namespace

// MariaDB's collations that do not pad have the numbers of those that do, and 1024.
std::string_view CharsetOfCollation(uint64_t collation) {
  constexpr uint64_t kNoPad = 1024;
  if (collation >= kNoPad && collation < 2 * kNoPad) collation -= kNoPad;
  if (collation < kFirst.size()) return kFirst[collation];
  const auto* range = std::ranges::lower_bound(kRanges, collation, {}, &Range::last);
  return range == kRanges.end() ? std::string_view() : range->charset;
}

}  // namespace penstock::binlog
