#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "clickhouse/block.h"

namespace penstock::typemap {

// Text of one of the source's character sets as UTF-8, character by character what MySQL and
// MariaDB answer to character_set_results=utf8mb4; on characters the two agree.
//
// Bytes that are no character become '?', and none is left out: one '?' for each byte that begins
// no well-formed sequence (also one that is cut off by the end), after which the next byte is
// looked at; one for a well-formed sequence without a character. So does MariaDB. Servers let such
// bytes in only through files and old versions; MySQL then leaves out what is cut off. The result
// is always valid UTF-8: lone surrogates of ucs2 and utf32, which the servers hand on, become '?'
// as well.
//
// Thread-safe; made at first use and never destroyed.
class CharsetConverter {
 public:
  virtual ~CharsetConverter() = default;

  // By the server's name; nullptr for names that are not known and for what is sent as it is.
  static const CharsetConverter* Find(std::string_view charset);

  // Appends `text` in UTF-8: as bytes, without a length. Returns how many '?' or U+FFFD stand for
  // bytes that are no character.
  virtual size_t Append(std::string_view text, clickhouse::Buffer& out) const = 0;

  // Whether `text` holds a character in a form other than the one in which the server itself writes
  // it: another text may be the same in UTF-8 (0x8790 and 0x81E0 of cp932, say).
  virtual bool IsAmbiguous(std::string_view text) const = 0;
};

// Whether the bytes of this character set are sent as they are: UTF-8, and what is not text ("").
bool IsSentAsIs(std::string_view charset);

// Whether Find knows it; makes nothing.
bool HasConverter(std::string_view charset);

}  // namespace penstock::typemap
