#include "mysql/binlog/compressed_column.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "mysql/binlog/capture_for_test.h"

namespace penstock::binlog {
namespace {

std::string Value(const std::string& hex, size_t bytes_max = 1000) {
  std::string value = "before ";
  static ColumnInflater inflater;  // for values of all forms in turn
  return inflater.Append(FromHex(hex), bytes_max, value) ? value : "refused";
}

// What MariaDB 10.11 logged; capture mariadb1011-deflated has more.
TEST(CompressedColumnTest, Forms) {
  EXPECT_EQ(Value(""), "before ");
  EXPECT_EQ(Value("0073686f7274"), "before short");
  EXPECT_EQ(Value("008a"), "before \x8a");
  const std::string a300 = "before " + std::string(300, 'a');
  EXPECT_EQ(Value("8a012c4b4c1c05c4860000"), a300) << "deflated";
  EXPECT_EQ(Value("82012c78014b4c1c05c4860000d8a871ad"), a300) << "in zlib's wrapping";
}

TEST(CompressedColumnTest, NeverMoreThanTheColumnHolds) {
  EXPECT_EQ(Value("8a012c4b4c1c05c4860000", 300).size(), 307U);
  EXPECT_EQ(Value("8a012c4b4c1c05c4860000", 299), "refused");
  EXPECT_EQ(Value("0073686f7274", 4), "refused");
}

TEST(CompressedColumnTest, RefusesOtherBytes) {
  for (const char* hex : {
           "8a", "8a01",                                        // cut short
           "8a012c",                                            // nothing deflated
           "8a012b4b4c1c05c4860000",                            // another length than it has
           "8a012d4b4c1c05c4860000",                            //
           "8a012c4b4c1c05c48600",                              // the end is missing
           "8a012c4b4c1c05c486000000",                          // something after it
           "82012c78014b4c1c05c4860000d8a871ae",                // a wrong checksum
           "88", "8f00000000000001", "8dffffffffff",            // impossible widths of the length
           "8cffffffff4b4c1c05c4860000",                        // a length that no such bytes have
           "9a012c4b4c1c05c4860000", "0a012c4b4c1c05c4860000",  // methods that are not known
       }) {
    EXPECT_EQ(Value(hex, SIZE_MAX), "refused") << hex;
  }
}

TEST(CompressedColumnTest, AnyBytesAreRefusedOrBounded) {
  EXPECT_TRUE(rc::check([](uint8_t header, const std::string& rest) {
    std::string value;
    const std::string stored = static_cast<char>(header) + rest;
    if (ColumnInflater().Append(stored, 100, value)) RC_ASSERT(value.size() <= 100U);
  }));
}

}  // namespace
}  // namespace penstock::binlog
