#include "typemap/charset.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/check.h"

namespace penstock::typemap {
namespace {

using clickhouse::Buffer;

// --- the tables of charset_tables.inc ---

// A code is a sequence read as a big-endian number: 0x8fa1a1.
struct Shape {  // well-formed sequences: any of these leads, then any of these last bytes
  uint32_t lead_first;
  uint32_t lead_last;
  uint32_t last_first;
  uint32_t last_last;
};
struct Run {  // `count` codes and characters that both follow one another
  uint32_t code;
  uint32_t count;
  char32_t character;
};
struct Text {  // UTF-8 of the characters of codes that follow one another
  uint32_t code;
  std::string_view text;
};
struct Codes {
  uint32_t first;
  uint32_t last;
};
struct CharsetTables {
  std::string_view name;
  std::span<const Shape> shapes = {};
  std::span<const Run> runs = {};
  std::span<const Text> texts = {};
  std::span<const Run> quads = {};    // gb18030: `code` is the index of a sequence of four bytes
  std::span<const Codes> twice = {};  // written otherwise by the server itself
};

#include "typemap/charset_tables.inc"

// --- writing UTF-8 ---

constexpr size_t kWriteAhead = 8;     // bytes that one write may touch
constexpr size_t kChunkBytes = 4096;  // of the source, converted between two looks at the room left
constexpr size_t kGrowthMax = 3;      // bytes of UTF-8 from one of any character set
constexpr size_t kCharacterBytesMax = 4;
constexpr char32_t kReplacement = 0xfffd;

constexpr bool IsSurrogate(char32_t character) { return character >> 11 == 0xd800 >> 11; }

// UTF-8 of a character, first byte lowest. `character` is at most 0x10ffff.
constexpr uint32_t Packed(char32_t character) {
  const auto c = static_cast<uint32_t>(character);
  if (c < 0x80) return c;
  if (c < 0x800) return (0xc0 | c >> 6) | (0x80 | (c & 0x3f)) << 8;
  if (c < 0x10000) {
    return (0xe0 | c >> 12) | (0x80 | (c >> 6 & 0x3f)) << 8 | (0x80 | (c & 0x3f)) << 16;
  }
  return (0xf0 | c >> 18) | (0x80 | (c >> 12 & 0x3f)) << 8 | (0x80 | (c >> 6 & 0x3f)) << 16 |
         (0x80 | (c & 0x3f)) << 24;
}

// No byte of UTF-8 but the first is 0, so the highest one set tells the length.
char* WritePacked(uint32_t packed, char* out) {
  std::memcpy(out, &packed, sizeof(packed));
  return out + (static_cast<size_t>(std::bit_width(packed | 1)) + 7) / 8;
}

// Converts `text` by `convert(begin, stop, end, out)`, which writes characters that begin before
// `stop` and returns the two places it came to. A character may reach beyond `stop`, not `end`.
template <typename Convert>
void InChunks(std::string_view text, Buffer& out, Convert convert) {
  const auto* from = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = from + text.size();
  while (from != end) {
    const auto rest = static_cast<size_t>(end - from);
    const size_t chunk = std::min(rest, kChunkBytes);
    char* const begin =
        out.Room(std::min(rest, chunk + kCharacterBytesMax) * kGrowthMax + kWriteAhead);
    char* to = begin;
    convert(from, from + chunk, end, to);
    out.Commit(static_cast<size_t>(to - begin));
  }
}

// Copies what is ASCII from `from` on, eight bytes at a time; up to seven at the end are left.
inline void CopyAscii(const uint8_t*& from, const uint8_t* stop, char*& to) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  while (stop - from >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, from, sizeof(word));
    std::memcpy(to, &word, sizeof(word));
    const uint64_t others = word & kHighBits;
    const int ascii = others == 0 ? 8 : std::countr_zero(others) / 8;
    from += ascii;
    to += ascii;
    if (ascii != 8) return;
  }
}

// --- character sets that have tables ---

// What a byte, or the bytes of a sequence, stand for: UTF-8, or one of these. No UTF-8 has such a
// fourth byte.
constexpr uint32_t kSpecial = 0xfe000000;
constexpr uint32_t kUnassigned = kSpecial | '?';
constexpr uint32_t kLost = kSpecial | Packed(kReplacement);
constexpr uint32_t kIllFormed = 0xff000000 | '?';  // or it takes more bytes
constexpr uint32_t kUtf8Mask = 0x00ffffff;

constexpr uint32_t kByteValues = 256;
constexpr uint32_t kTriplePrefix = 0x8f;  // the one lead byte of three-byte sequences

class TableConverter final : public CharsetConverter {
 public:
  explicit TableConverter(const CharsetTables& tables);

  size_t Append(std::string_view text, Buffer& out) const override;
  bool IsAmbiguous(std::string_view text) const override;

 private:
  struct Sequence {
    uint32_t entry;
    uint32_t bytes;
  };

  uint32_t& Slot(uint32_t code);
  void FillShapes();
  void FillCharacters();
  // What begins at `from`, which is before `end`. An ill-formed byte is a sequence of its own.
  Sequence Next(const uint8_t* from, const uint8_t* end) const;
  Sequence Multibyte(const uint8_t* from, const uint8_t* end) const;
  uint32_t Quad(const uint8_t* from) const;

  const CharsetTables& tables_;
  bool contains_ascii_ = true;
  std::array<uint32_t, kByteValues> bytes_;
  std::vector<uint32_t> pairs_;    // by code; empty: single bytes only
  std::vector<uint32_t> triples_;  // by the last two bytes
};

TableConverter::TableConverter(const CharsetTables& tables) : tables_(tables) {
  bytes_.fill(kUnassigned);
  if (!tables.shapes.empty()) pairs_.assign(kByteValues * kByteValues, kIllFormed);
  FillShapes();
  FillCharacters();
  for (uint32_t byte = 0; byte < 0x80; ++byte) {
    contains_ascii_ = contains_ascii_ && bytes_[byte] == byte;
  }
}

uint32_t& TableConverter::Slot(uint32_t code) {
  if (code < kByteValues) return bytes_[code];
  if (code >> 16 == 0) return pairs_[code];
  PENSTOCK_CHECK(code >> 16 == kTriplePrefix);
  return triples_[code & 0xffff];
}

void TableConverter::FillShapes() {
  for (const Shape& shape : tables_.shapes) {
    if (shape.lead_last >= kByteValues) triples_.resize(kByteValues * kByteValues, kIllFormed);
    for (uint32_t lead = shape.lead_first; lead <= shape.lead_last; ++lead) {
      bytes_[lead < kByteValues ? lead : lead >> 8] = kIllFormed;
      for (uint32_t last = shape.last_first; last <= shape.last_last; ++last) {
        Slot(lead << 8 | last) = kUnassigned;
      }
    }
  }
}

void TableConverter::FillCharacters() {
  for (const Run& run : tables_.runs) {
    for (uint32_t i = 0; i < run.count; ++i) Slot(run.code + i) = Packed(run.character + i);
  }
  for (const Text& text : tables_.texts) {
    uint32_t code = text.code;
    for (size_t i = 0; i < text.text.size(); ++code) {
      const auto first = static_cast<uint8_t>(text.text[i]);
      const auto bytes = static_cast<size_t>(first < 0x80 ? 1 : std::countl_one(first));
      uint32_t packed = 0;
      std::memcpy(&packed, &text.text[i], bytes);
      Slot(code) = packed == Packed(kReplacement) ? kLost : packed;
      i += bytes;
    }
  }
}

inline TableConverter::Sequence TableConverter::Next(const uint8_t* from,
                                                     const uint8_t* end) const {
  const uint32_t entry = bytes_[*from];
  if (entry != kIllFormed) return {entry, 1};
  return Multibyte(from, end);
}

inline TableConverter::Sequence TableConverter::Multibyte(const uint8_t* from,
                                                          const uint8_t* end) const {
  const auto left = static_cast<size_t>(end - from);
  if (left >= 2) {
    const uint32_t entry = pairs_[uint32_t{from[0]} << 8 | from[1]];
    if (entry != kIllFormed) return {entry, 2};
  }
  if (left >= 3 && from[0] == kTriplePrefix && !triples_.empty()) {
    const uint32_t entry = triples_[uint32_t{from[1]} << 8 | from[2]];
    if (entry != kIllFormed) return {entry, 3};
  }
  if (left >= 4 && !tables_.quads.empty()) {
    const uint32_t entry = Quad(from);
    if (entry != kIllFormed) return {entry, 4};
  }
  return {kIllFormed, 1};
}

// GB 18030: 81-FE 30-39 81-FE 30-39.
uint32_t TableConverter::Quad(const uint8_t* from) const {
  const auto lead = [](uint8_t byte) { return byte >= 0x81 && byte <= 0xfe; };
  const auto digit = [](uint8_t byte) { return byte >= '0' && byte <= '9'; };
  if (!lead(from[0]) || !digit(from[1]) || !lead(from[2]) || !digit(from[3])) return kIllFormed;
  const uint32_t index =
      ((from[0] - 0x81U) * 10 + (from[1] - '0')) * 1260 + (from[2] - 0x81U) * 10 + (from[3] - '0');
  const auto after = std::ranges::upper_bound(tables_.quads, index, {}, &Run::code);
  if (after == tables_.quads.begin()) return kUnassigned;
  const Run& run = *std::prev(after);
  if (index - run.code >= run.count) return kUnassigned;
  return Packed(run.character + (index - run.code));
}

size_t TableConverter::Append(std::string_view text, Buffer& out) const {
  size_t replaced = 0;
  InChunks(text, out,
           [&](const uint8_t*& from, const uint8_t* stop, const uint8_t* end, char*& to) {
             while (from < stop) {
               if (*from < 0x80 && contains_ascii_) CopyAscii(from, stop, to);
               if (from == stop) break;
               const Sequence next = Next(from, end);
               if (next.entry >= kSpecial) [[unlikely]] {
                 ++replaced;
                 to = WritePacked(next.entry & kUtf8Mask, to);
               } else {
                 to = WritePacked(next.entry, to);
               }
               from += next.bytes;
             }
           });
  return replaced;
}

bool TableConverter::IsAmbiguous(std::string_view text) const {
  if (tables_.twice.empty()) return false;
  const auto* from = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = from + text.size();
  while (from != end) {
    const uint32_t bytes = Next(from, end).bytes;
    uint32_t code = 0;
    for (uint32_t i = 0; i < bytes; ++i) code = code << 8 | *from++;
    const auto codes = std::ranges::lower_bound(tables_.twice, code, {}, &Codes::last);
    if (codes != tables_.twice.end() && codes->first <= code) return true;
  }
  return false;
}

// --- Unicode in units of two or four bytes ---

constexpr char32_t kNoCharacter = 0xffffffff;

// Each has Next: the character that begins at `from`, of which `left` bytes (at least one) are
// there, and its size; kNoCharacter and 1 for a byte that begins none.
struct Decoded {
  char32_t character;
  size_t bytes;
};
constexpr Decoded kNone = {kNoCharacter, 1};

struct Ucs2 {
  static Decoded Next(const uint8_t* from, size_t left) {
    if (left < 2) return kNone;
    return {static_cast<char32_t>(from[0] << 8 | from[1]), 2};
  }
};

template <bool kLittleEndian>
struct Utf16 {
  static char32_t Unit(const uint8_t* from) {
    return static_cast<char32_t>(kLittleEndian ? from[1] << 8 | from[0] : from[0] << 8 | from[1]);
  }
  static Decoded Next(const uint8_t* from, size_t left) {
    if (left < 2) return kNone;
    const char32_t high = Unit(from);
    if (!IsSurrogate(high)) return {high, 2};
    if (left < 4 || high >= 0xdc00) return kNone;
    const char32_t low = Unit(from + 2);
    if (!IsSurrogate(low) || low < 0xdc00) return kNone;
    return {0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff)), 4};
  }
};

struct Utf32 {
  static Decoded Next(const uint8_t* from, size_t left) {
    if (left < 4 || from[0] != 0 || from[1] > 0x10) return kNone;
    return {static_cast<char32_t>(from[1] << 16 | from[2] << 8 | from[3]), 4};
  }
};

template <typename Form>
class WideConverter final : public CharsetConverter {
 public:
  size_t Append(std::string_view text, Buffer& out) const override {
    size_t replaced = 0;
    InChunks(text, out,
             [&](const uint8_t*& from, const uint8_t* stop, const uint8_t* end, char*& to) {
               while (from < stop) {
                 Decoded next = Form::Next(from, static_cast<size_t>(end - from));
                 if (next.character == kNoCharacter || IsSurrogate(next.character)) [[unlikely]] {
                   ++replaced;
                   next.character = '?';
                 }
                 to = WritePacked(Packed(next.character), to);
                 from += next.bytes;
               }
             });
    return replaced;
  }
  bool IsAmbiguous(std::string_view) const override { return false; }
};

template <typename Form>
const CharsetConverter* Wide() {
  static const auto& converter = *new WideConverter<Form>;
  return &converter;
}

const CharsetConverter* FindWide(std::string_view charset) {
  if (charset == "ucs2") return Wide<Ucs2>();
  if (charset == "utf16") return Wide<Utf16<false>>();
  if (charset == "utf16le") return Wide<Utf16<true>>();
  if (charset == "utf32") return Wide<Utf32>();
  return nullptr;
}

// The index in kCharsets; its size where there is none.
size_t IndexOf(std::string_view charset) {
  const auto* found = std::ranges::find(kCharsets, charset, &CharsetTables::name);
  return static_cast<size_t>(found - std::begin(kCharsets));
}

// The tables of one character set take 1 KiB to half a MiB: made when a column asks for them.
const CharsetConverter* FindTable(std::string_view charset) {
  struct Made {
    std::once_flag once;
    std::unique_ptr<const TableConverter> converter;
  };
  static auto& all = *new std::array<Made, std::size(kCharsets)>;
  const size_t index = IndexOf(charset);
  if (index == all.size()) return nullptr;
  Made& made = all[index];
  std::call_once(made.once, [&] {
    made.converter = std::make_unique<const TableConverter>(kCharsets[index]);
  });
  return made.converter.get();
}

}  // namespace

const CharsetConverter* CharsetConverter::Find(std::string_view charset) {
  const CharsetConverter* wide = FindWide(charset);
  return wide != nullptr ? wide : FindTable(charset);
}

bool IsSentAsIs(std::string_view charset) {
  constexpr std::array<std::string_view, 5> kNames = {"", "utf8mb4", "utf8mb3", "utf8", "binary"};
  return std::ranges::find(kNames, charset) != kNames.end();
}

bool HasConverter(std::string_view charset) {
  return FindWide(charset) != nullptr || IndexOf(charset) != std::size(kCharsets);
}

}  // namespace penstock::typemap
