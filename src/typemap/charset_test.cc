#include "typemap/charset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace penstock::typemap {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

struct Converted {
  std::string text;
  size_t replaced = 0;
};

Converted Convert(std::string_view charset, std::string_view bytes) {
  const CharsetConverter* converter = CharsetConverter::Find(charset);
  if (converter == nullptr) return {.text = "no such character set"};
  clickhouse::Buffer out;
  out.Append(std::string_view("before"));
  const size_t replaced = converter->Append(bytes, out);
  return {.text = std::string(out.view().substr(6)), .replaced = replaced};
}

struct Vector {
  std::string_view charset;
  std::string_view hex;
  std::string_view utf8;
  size_t replaced = 0;
};

void ExpectConverted(const std::vector<Vector>& vectors) {
  for (const Vector& vector : vectors) {
    const Converted converted = Convert(vector.charset, FromHex(vector.hex));
    EXPECT_EQ(converted.text, vector.utf8) << vector.charset << " " << vector.hex;
    EXPECT_EQ(converted.replaced, vector.replaced) << vector.charset << " " << vector.hex;
  }
}

// Everything below is what MySQL 9.7 and MariaDB 10.11 answered.

TEST(CharsetTest, OneByte) {
  ExpectConverted({
      {"latin1", "8081E9FF", "\xe2\x82\xac\xc2\x81\xc3\xa9\xc3\xbf"},
      {"latin2", "A4B1", "\xc2\xa4\xc4\x85"},
      {"latin5", "D0DD", "\xc4\x9e\xc4\xb0"},
      {"latin7", "AAB1FE", "\xc5\x96\xc2\xb1\xc5\xbe"},
      {"keybcs2", "808193A1", "\xc4\x8c\xc3\xbc\xc3\xb4\xc3\xad"},
      {"cp1251", "8088", "\xd0\x82\xe2\x82\xac"},
      {"cp1256", "80FD", "\xe2\x82\xac\xe2\x80\x8e"},
      {"hebrew", "E0FDFE", "\xd7\x90\xe2\x80\x8e\xe2\x80\x8f"},
      {"koi8r", "A3B3", "\xd1\x91\xd0\x81"},
      {"koi8u", "A4B4", "\xd1\x94\xd0\x84"},
      {"macce", "DBA4", "\xc5\x98\xc2\xa7"},
      {"macroman", "DBF0", "\xe2\x82\xac\xef\xa3\xbf"},
      {"dec8", "A8D7", "\xc2\xa4\xc5\x92"},
      {"cp850", "D59B", "\xc4\xb1\xc3\xb8"},
      {"cp852", "D59B", "\xc5\x87\xc5\xa4"},
      {"cp866", "FDFE", "\xc2\xb2\xe2\x96\xa0"},
      {"armscii8", "A2A5FF", "\xc2\xa7('"},
      // Bytes that are not assigned.
      {"ascii", "417F80", "A\x7f?", 1},
      {"cp1250", "8081", "\xe2\x82\xac?", 1},
      {"cp1257", "8081", "\xe2\x82\xac?", 1},
      {"geostd8", "80C0DFF5", "\xe2\x82\xac\xe1\x83\x90\xe1\x83\xac?", 1},
      {"greek", "A4A5E1", "??\xce\xb1", 2},
      {"hp8", "80A1FF", "\xc2\x80\xc3\x80?", 1},
      {"tis620", "A1DFA0", "\xe0\xb8\x81\xe0\xb8\xbf\xef\xbf\xbd", 1},
  });
}

TEST(CharsetTest, Swe7IsNoAscii) {
  ExpectConverted({
      {"swe7", "405B5C5D5E607B7C7D7E7F",
       "\xc3\x89\xc3\x84\xc3\x96\xc3\x85\xc3\x9c\xc3\xa9\xc3\xa4\xc3\xb6\xc3\xa5\xc3\xbc?", 1},
      {"swe7", "41424344454647485B", "ABCDEFGH\xc3\x84"},
  });
}

TEST(CharsetTest, Japanese) {
  ExpectConverted({
      {"sjis", "5C815FB1", "\\\\\xef\xbd\xb1"},
      {"sjis", "83748342", "\xe3\x83\x95\xe3\x82\xa3"},
      {"cp932", "87908754FA40F040", "\xe2\x89\x92\xe2\x85\xa0\xe2\x85\xb0\xee\x80\x80"},
      {"ujis", "8EB18FA2AF5CA1C0", "\xef\xbd\xb1\xcb\x98\\\\"},
      {"ujis", "8FA1A1", "?", 1},
      {"eucjpms", "ADB5F5A1", "\xe2\x85\xa0\xee\x80\x80"},
      {"eucjpms", "8FF3F3", "\xe2\x85\xb0"},
  });
}

TEST(CharsetTest, ChineseAndKorean) {
  ExpectConverted({
      {"big5", "A440C6A1", "\xe4\xb8\x80\xe3\x83\xbe"},
      {"big5", "A15A", "\xef\xbf\xbd", 1},
      {"gbk", "8140A2E3A6D9FE50", "\xe4\xb8\x82???", 3},
      {"gb2312", "A1A1B0A1A9FE", "\xe3\x80\x80\xe5\x95\x8a?", 1},
      {"euckr", "A2E6814181FEC8FE", "\xe2\x82\xac\xea\xb0\x82\xea\xb4\x93\xed\x9e\x9d"},
  });
}

TEST(CharsetTest, Gb18030) {
  ExpectConverted({
      {"gb18030", "A2E3A8BFA6D9FE5081308130",
       "\xe2\x82\xac\xc7\xb9\xee\x9e\x8d\xe2\xba\x81\xc2\x80"},
      {"gb18030", "8135F43784318130", "\xee\x9f\x87\xef\xb8\x80"},
      // U+FFFD itself is a character; then the ends of what lies beyond U+FFFF.
      {"gb18030", "8431A43790308130E3329A35", "\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"gb18030", "E3329A36FE39FE39", "??", 2},
      {"gb18030", "80208130", "? ?0", 2},
  });
}

TEST(CharsetTest, Unicode) {
  ExpectConverted({
      {"ucs2", "004120AC", "A\xe2\x82\xac"},
      {"utf16", "0041D83DDE0020AC", "A\xf0\x9f\x98\x80\xe2\x82\xac"},
      {"utf16le", "41003DD800DEAC20", "A\xf0\x9f\x98\x80\xe2\x82\xac"},
      {"utf32", "000000410001F6000010FFFF", "A\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"},
      {"utf16", "DBFFDFFF", "\xf4\x8f\xbf\xbf"},
  });
}

// As MariaDB does it; of the sequences that are cut off MySQL leaves out all that is there.
TEST(CharsetTest, ByteForByteWhereTextIsIllFormed) {
  ExpectConverted({
      {"sjis", "8120", "? ", 1},
      {"sjis", "4181", "A?", 1},
      {"ujis", "8FA1", "??", 2},
      {"ujis", "8E41", "?A", 1},
      {"eucjpms", "8FA14120", "??A ", 2},
      {"gbk", "80FF", "??", 2},
      {"big5", "A1FF", "??", 2},
      {"ucs2", "0041D8", "A?", 1},
      {"utf16", "D8000041", "?\0?"sv, 2},
      {"utf16", "DC00", "??", 2},
      {"utf16", "004100", "A?", 1},
      {"utf16", "D83DDE", "?\xe3\xb7\x9e", 1},
      {"utf16le", "00DC4100", "?\xe4\x87\x9c?", 2},
      {"utf32", "0010FFFF00110000", "\xf4\x8f\xbf\xbf????", 4},
      {"utf32", "000041", "???", 3},
  });
  EXPECT_EQ(Convert("gb18030", "\x81\x30\x81\x30\x81\x30\x81").text, "\xc2\x80?0?");
}

// Here the servers answer with bytes that are no UTF-8.
TEST(CharsetTest, SurrogatesThatStandAloneAreReplaced) {
  ExpectConverted({
      {"ucs2", "D83DDE000041", "??A", 2},
      {"utf32", "0000D80000000041", "?A", 1},
  });
}

TEST(CharsetTest, LongTextIsTheSumOfItsParts) {
  const std::vector<Vector> parts = {
      {"latin1", "E9", "\xc3\xa9"},
      {"sjis", "83748342", "\xe3\x83\x95\xe3\x82\xa3"},
      {"ujis", "8FA2AF", "\xcb\x98"},
      {"gb18030", "81308130", "\xc2\x80"},
      {"utf16", "D83DDE00", "\xf0\x9f\x98\x80"},
  };
  for (const Vector& part : parts) {
    const bool wide = part.charset == "utf16";
    for (size_t letters = 0; letters < 12; ++letters) {
      std::string from;
      std::string to;
      for (int i = 0; i < 2000; ++i) {
        for (size_t j = 0; j < letters; ++j) from += wide ? "\0x"s : "x"s;
        from += FromHex(part.hex);
        to += std::string(letters, 'x') + std::string(part.utf8);
      }
      const Converted converted = Convert(part.charset, from);
      EXPECT_EQ(converted.text, to) << part.charset << " " << letters;
      EXPECT_EQ(converted.replaced, 0U);
    }
  }
}

TEST(CharsetTest, FormsThatTheServerDoesNotWrite) {
  const auto ambiguous = [](std::string_view charset, std::string_view bytes) {
    return CharsetConverter::Find(charset)->IsAmbiguous(bytes);
  };
  EXPECT_TRUE(ambiguous("cp932", "a\x87\x90"));
  EXPECT_TRUE(ambiguous("cp932", "\xed\x40"));
  EXPECT_FALSE(ambiguous("cp932", "a\x81\xe0\xfa\x5c"));
  EXPECT_TRUE(ambiguous("sjis", "\\"));
  EXPECT_FALSE(ambiguous("sjis", "\x81\x5f\x83\x5c"));  // 5C within a character
  EXPECT_TRUE(ambiguous("ujis", "\xa1\xc0"));
  EXPECT_FALSE(ambiguous("ujis", "\\"));
  EXPECT_TRUE(ambiguous("ujis", "\x8f\xa2\xb7"));
  EXPECT_TRUE(ambiguous("armscii8", "\xa5"));
  EXPECT_FALSE(ambiguous("armscii8", "("));
  EXPECT_FALSE(ambiguous("latin1", "\x80\\"));
  EXPECT_FALSE(ambiguous("utf16", "a\\"));
}

// What makes a key column safe: texts that are taken differ in UTF-8.
TEST(CharsetTest, NoCharacterComesFromTwoTexts) {
  for (const char* charset : {"armscii8", "big5", "cp932", "eucjpms", "euckr", "gb18030", "gb2312",
                              "gbk", "latin1", "sjis", "tis620", "ujis"}) {
    const CharsetConverter* converter = CharsetConverter::Find(charset);
    std::map<std::string, std::string> seen;
    for (uint32_t code = 0; code < 0x30000; ++code) {
      const uint32_t pair = code & 0xffff;
      std::string text = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
      if (code < 0x100) text = static_cast<char>(code);
      if (code >= 0x20000) text.insert(0, 1, '\x8f');
      const Converted converted = Convert(charset, text);
      if (converted.replaced != 0 || converter->IsAmbiguous(text)) continue;
      const auto [entry, added] = seen.emplace(converted.text, text);
      EXPECT_TRUE(added || entry->second == text) << charset << " " << code;
    }
  }
}

TEST(CharsetTest, Names) {
  for (const char* name : {"", "utf8", "utf8mb3", "utf8mb4", "binary"}) {
    EXPECT_TRUE(IsSentAsIs(name)) << name;
    EXPECT_FALSE(HasConverter(name)) << name;
    EXPECT_EQ(CharsetConverter::Find(name), nullptr) << name;
  }
  for (const char* name : {"ascii", "latin1", "ucs2", "utf16", "utf16le", "utf32", "ujis"}) {
    EXPECT_FALSE(IsSentAsIs(name)) << name;
    EXPECT_TRUE(HasConverter(name)) << name;
    EXPECT_EQ(CharsetConverter::Find(name), CharsetConverter::Find(name)) << name;
  }
  EXPECT_FALSE(IsSentAsIs("latin9"));
  EXPECT_FALSE(HasConverter("latin9"));
}

TEST(CharsetTest, FirstUseByManyThreads) {
  std::array<const CharsetConverter*, 4> found{};
  std::vector<std::jthread> threads;
  for (const CharsetConverter*& one : found) {
    threads.emplace_back([&one] { one = CharsetConverter::Find("eucjpms"); });
  }
  threads.clear();
  EXPECT_THAT(found, testing::Each(CharsetConverter::Find("eucjpms")));
}

}  // namespace
}  // namespace penstock::typemap
