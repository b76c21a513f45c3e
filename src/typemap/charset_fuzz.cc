#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clickhouse/block.h"
#include "typemap/charset.h"

namespace {

constexpr std::array<std::string_view, 38> kNames = {
    "armscii8", "ascii",   "big5",   "cp1250", "cp1251",  "cp1256",   "cp1257",  "cp850",
    "cp852",    "cp866",   "cp932",  "dec8",   "eucjpms", "euckr",    "gb18030", "gb2312",
    "gbk",      "geostd8", "greek",  "hebrew", "hp8",     "keybcs2",  "koi8r",   "koi8u",
    "latin1",   "latin2",  "latin5", "latin7", "macce",   "macroman", "sjis",    "swe7",
    "tis620",   "ucs2",    "ujis",   "utf16",  "utf16le", "utf32"};

// Bytes of the well-formed UTF-8 character at the start; 0: there is none.
size_t CharacterBytes(std::string_view text) {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto follows = [&](size_t i) { return at(i) >> 6 == 2; };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool overlong = first == 0xe0 && at(1) < 0xa0;
    const bool surrogate = first == 0xed && at(1) >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  const bool too_small = first == 0xf0 && at(1) < 0x90;
  const bool too_large = first > 0xf4 || (first == 0xf4 && at(1) >= 0x90);
  const bool whole = first >= 0xf0 && follows(1) && follows(2) && follows(3);
  return whole && !too_small && !too_large ? 4 : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto* converter = penstock::typemap::CharsetConverter::Find(kNames[*data % kNames.size()]);
  if (converter == nullptr) __builtin_trap();
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  penstock::clickhouse::Buffer out;
  const size_t replaced = converter->Append(text, out);
  if (replaced > text.size() || out.size() > 3 * text.size()) __builtin_trap();
  for (std::string_view rest = out.view(); !rest.empty();) {
    const size_t bytes = CharacterBytes(rest);
    if (bytes == 0) __builtin_trap();
    rest.remove_prefix(bytes);
  }
  (void)converter->IsAmbiguous(text);
  return 0;
}
