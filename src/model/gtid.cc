#include "model/gtid.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>

#include "base/byte_reader.h"
#include "base/check.h"

namespace penstock::model {
namespace {

using Uuid = std::array<uint8_t, 16>;

// The server keeps numbers as signed 64 bits, and 2^63 - 1 itself as the end of an interval.
constexpr uint64_t kNumberMax = std::numeric_limits<int64_t>::max() - 1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string UuidText(const Uuid& uuid) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[uuid[i] >> 4];
    text += kHex[uuid[i] & 15];
  }
  return text;
}

// Tokens of a GTID text; white space between them means nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  char Peek() {
    const size_t start = rest_.find_first_not_of(" \t\r\n\v\f");
    rest_.remove_prefix(std::min(start, rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool AtEnd() { return Peek() == '\0' && rest_.empty(); }
  bool Take(char c) {
    if (Peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <typename T>
  std::optional<T> Number() {
    if (!IsDigit(Peek())) return std::nullopt;
    T number{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return number;
  }
  std::optional<GtidTag> Tag() {
    if (!IsLetter(Peek())) return std::nullopt;
    const auto end = std::find_if_not(rest_.begin(), rest_.end(),
                                      [](char c) { return IsLetter(c) || IsDigit(c); });
    std::string tag(rest_.begin(), end);
    if (tag.size() > GtidTag::kLengthMax) return std::nullopt;
    std::transform(tag.begin(), tag.end(), tag.begin(), Lower);
    rest_.remove_prefix(tag.size());
    return GtidTag(tag);
  }
  std::optional<Uuid> TakeUuid() {
    const bool braces = Take('{');
    Peek();
    Uuid uuid{};
    for (size_t digit = 0; digit < 32; ++digit) {
      const bool at_dash = digit == 8 || digit == 12 || digit == 16 || digit == 20;
      if (at_dash && rest_.starts_with('-')) rest_.remove_prefix(1);
      const int value = rest_.empty() ? -1 : HexDigit(rest_.front());
      if (value < 0) return std::nullopt;
      uuid[digit / 2] = static_cast<uint8_t>(uuid[digit / 2] << 4 | value);
      rest_.remove_prefix(1);
    }
    if (braces && !Take('}')) return std::nullopt;
    return uuid;
  }

 private:
  std::string_view rest_;
};

Failure Malformed(std::string_view what, std::string_view text) {
  return Fail(ErrorCode::kBadData, "{} is malformed: '{}'", what, text.substr(0, 200));
}

void AppendLittle64(std::string& bytes, uint64_t value) {
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

GtidTag::GtidTag(std::string_view text) : length_(static_cast<uint8_t>(text.size())) {
  PENSTOCK_CHECK(text.size() <= kLengthMax);
  std::copy(text.begin(), text.end(), text_.begin());
}

std::string MysqlGtid::ToString() const {
  return fmt::format("{}{}{}:{}", UuidText(uuid), tag.empty() ? "" : ":", tag.view(), number);
}

Result<MysqlGtidSet> MysqlGtidSet::Parse(std::string_view text) {
  constexpr std::string_view kWhat = "GTID set";
  MysqlGtidSet set;
  Scanner scanner(text);
  while (!scanner.AtEnd()) {
    if (scanner.Take(',')) continue;
    const auto uuid = scanner.TakeUuid();
    if (!uuid || scanner.Peek() != ':') return Malformed(kWhat, text);
    Source source{*uuid, {}};
    bool tag_without_interval = false;
    while (scanner.Take(':')) {
      if (IsLetter(scanner.Peek())) {
        const auto tag = scanner.Tag();
        if (!tag || tag_without_interval) return Malformed(kWhat, text);
        source.tag = *tag;
        tag_without_interval = true;
        continue;
      }
      const auto first = scanner.Number<uint64_t>();
      const auto last = scanner.Take('-') ? scanner.Number<uint64_t>() : first;
      if (!first || !last || *first == 0 || *last < *first || *last > kNumberMax) {
        return Malformed(kWhat, text);
      }
      set.AddInterval(source, {*first, *last + 1});
      tag_without_interval = false;
    }
    if (tag_without_interval || (!scanner.AtEnd() && scanner.Peek() != ',')) {
      return Malformed(kWhat, text);
    }
  }
  return set;
}

void MysqlGtidSet::AddInterval(const Source& source, Interval added) {
  auto& intervals = sets_[source];
  // The first that touches or follows; from there swallow all that touch.
  const auto first = std::lower_bound(
      intervals.begin(), intervals.end(), added.begin,
      [](const Interval& interval, uint64_t begin) { return interval.end < begin; });
  auto last = first;
  for (; last != intervals.end() && last->begin <= added.end; ++last) {
    added.begin = std::min(added.begin, last->begin);
    added.end = std::max(added.end, last->end);
  }
  if (first == last) {
    intervals.insert(first, added);
  } else {
    *first = added;
    intervals.erase(std::next(first), last);
  }
}

void MysqlGtidSet::Add(const MysqlGtid& gtid) {
  AddInterval({gtid.uuid, gtid.tag}, {gtid.number, gtid.number + 1});
}

void MysqlGtidSet::Add(const MysqlGtidSet& other) {
  if (&other == this) return;
  for (const auto& [source, intervals] : other.sets_) {
    for (const Interval& interval : intervals) AddInterval(source, interval);
  }
}

MysqlGtidSet MysqlGtidSet::Without(const MysqlGtidSet& other) const {
  MysqlGtidSet rest;
  for (const auto& [source, intervals] : sets_) {
    const auto found = other.sets_.find(source);
    const std::vector<Interval> none;
    const auto& taken = found == other.sets_.end() ? none : found->second;
    auto next = taken.begin();
    for (auto [begin, end] : intervals) {
      for (; begin < end; begin = next->end) {
        while (next != taken.end() && next->end <= begin) ++next;
        const bool overlaps = next != taken.end() && next->begin < end;
        const uint64_t free_end = overlaps ? next->begin : end;
        if (begin < free_end) rest.AddInterval(source, {begin, free_end});
        if (!overlaps) break;
      }
    }
  }
  return rest;
}

bool MysqlGtidSet::ContainsInterval(const Source& source, Interval wanted) const {
  const auto found = sets_.find(source);
  if (found == sets_.end()) return false;
  const auto after = std::upper_bound(
      found->second.begin(), found->second.end(), wanted.begin,
      [](uint64_t begin, const Interval& interval) { return begin < interval.begin; });
  return after != found->second.begin() && wanted.end <= std::prev(after)->end;
}

bool MysqlGtidSet::Contains(const MysqlGtid& gtid) const {
  return ContainsInterval({gtid.uuid, gtid.tag}, {gtid.number, gtid.number + 1});
}

bool MysqlGtidSet::Contains(const MysqlGtidSet& other) const {
  return std::all_of(other.sets_.begin(), other.sets_.end(), [this](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [&](const Interval& interval) {
      return ContainsInterval(entry.first, interval);
    });
  });
}

bool MysqlGtidSet::KnowsServersOf(const MysqlGtidSet& other) const {
  return std::ranges::all_of(other.sets_, [this](const auto& entry) {
    const auto first = sets_.lower_bound(Source{entry.first.uuid, {}});
    return first != sets_.end() && first->first.uuid == entry.first.uuid;
  });
}

std::string MysqlGtidSet::ToString() const {
  std::string text;
  const Source* previous = nullptr;
  for (const auto& [source, intervals] : sets_) {
    if (previous == nullptr || previous->uuid != source.uuid) {
      if (previous != nullptr) text += ',';
      text += UuidText(source.uuid);
    }
    if (!source.tag.empty()) text.append(":").append(source.tag.view());
    for (const auto& [begin, end] : intervals) {
      text += end - begin == 1 ? fmt::format(":{}", begin) : fmt::format(":{}-{}", begin, end - 1);
    }
    previous = &source;
  }
  return text;
}

// COM_BINLOG_DUMP_GTID, "SID block": number of sources; for each its UUID, the number of its
// intervals and their ends. With tags the first word holds the format (1) in its lowest and highest
// byte around the number, and each UUID is followed by the tag's length (as the one-byte form of a
// variable-length integer, that is twice the length) and the tag.
std::string MysqlGtidSet::Encode() const {
  const bool tagged = std::any_of(sets_.begin(), sets_.end(),
                                  [](const auto& entry) { return !entry.first.tag.empty(); });
  constexpr uint64_t kTaggedFormat = 1;
  std::string bytes;
  AppendLittle64(bytes,
                 tagged ? kTaggedFormat << 56 | sets_.size() << 8 | kTaggedFormat : sets_.size());
  for (const auto& [source, intervals] : sets_) {
    bytes.append(reinterpret_cast<const char*>(source.uuid.data()), source.uuid.size());
    if (tagged) {
      bytes += static_cast<char>(source.tag.view().size() * 2);
      bytes += source.tag.view();
    }
    AppendLittle64(bytes, intervals.size());
    for (const auto& [begin, end] : intervals) {
      AppendLittle64(bytes, begin);
      AppendLittle64(bytes, end);
    }
  }
  return bytes;
}

Result<MysqlGtidSet> MysqlGtidSet::Decode(std::string_view bytes) {
  constexpr uint64_t kTaggedFormat = 1;
  ByteReader reader(bytes);
  uint64_t sources = reader.U64();
  const bool tagged = sources >> 56 == kTaggedFormat;
  if (tagged) sources = sources << 8 >> 16;
  MysqlGtidSet set;
  for (uint64_t i = 0; i < sources && reader.ok(); ++i) {
    Source source{};
    const std::string_view uuid = reader.Bytes(source.uuid.size());
    std::copy(uuid.begin(), uuid.end(), source.uuid.begin());
    const std::string_view tag = reader.Bytes(tagged ? reader.U8() / 2 : 0);
    if (!tag.empty()) {
      source.tag = Scanner(tag).Tag().value_or(GtidTag());
      if (source.tag.view() != tag) reader.Fail();
    }
    const uint64_t intervals = reader.U64();
    for (uint64_t j = 0; j < intervals && reader.ok(); ++j) {
      const uint64_t begin = reader.U64();
      const uint64_t end = reader.U64();
      if (begin == 0 || end <= begin || end > kNumberMax + 1) reader.Fail();
      if (reader.ok()) set.AddInterval(source, {begin, end});
    }
  }
  if (!reader.ok() || !reader.AtEnd()) {
    return Fail(ErrorCode::kBadData, "the encoded GTID set is malformed");
  }
  return set;
}

std::string MariadbGtid::ToString() const {
  return fmt::format("{}-{}-{}", domain, server, sequence);
}

Result<MariadbGtidPosition> MariadbGtidPosition::Parse(std::string_view text) {
  constexpr std::string_view kWhat = "GTID position";
  MariadbGtidPosition position;
  Scanner scanner(text);
  while (!scanner.AtEnd()) {
    const auto domain = scanner.Number<uint32_t>();
    const bool dash = scanner.Take('-');
    const auto server = scanner.Number<uint32_t>();
    const bool second_dash = scanner.Take('-');
    const auto sequence = scanner.Number<uint64_t>();
    if (!domain || !dash || !server || !second_dash || !sequence) return Malformed(kWhat, text);
    const auto added = position.domains_.emplace(*domain, MariadbGtid{*domain, *server, *sequence});
    if (!added.second) return Malformed(kWhat, text);
    const bool comma = scanner.Take(',');
    if (comma == scanner.AtEnd()) return Malformed(kWhat, text);
  }
  return position;
}

std::vector<MariadbGtid> MariadbGtidPosition::gtids() const {
  std::vector<MariadbGtid> gtids;
  for (const auto& [domain, gtid] : domains_) gtids.push_back(gtid);
  return gtids;
}

std::optional<MariadbGtid> MariadbGtidPosition::Of(uint32_t domain) const {
  const auto found = domains_.find(domain);
  return found == domains_.end() ? std::nullopt : std::optional(found->second);
}

void MariadbGtidPosition::Set(const MariadbGtid& gtid) { domains_[gtid.domain] = gtid; }

void MariadbGtidPosition::Merge(const MariadbGtidPosition& other) {
  for (const auto& [domain, gtid] : other.domains_) {
    if (!Covers(gtid)) Set(gtid);
  }
}

MariadbGtidPosition MariadbGtidPosition::Without(const MariadbGtidPosition& other) const {
  MariadbGtidPosition rest;
  for (const auto& [domain, gtid] : domains_) {
    const auto found = other.domains_.find(domain);
    if (found == other.domains_.end() || found->second != gtid) rest.Set(gtid);
  }
  return rest;
}

bool MariadbGtidPosition::Covers(const MariadbGtid& gtid) const {
  const auto found = domains_.find(gtid.domain);
  return found != domains_.end() && found->second.sequence >= gtid.sequence;
}

bool MariadbGtidPosition::Covers(const MariadbGtidPosition& other) const {
  return std::all_of(other.domains_.begin(), other.domains_.end(),
                     [this](const auto& entry) { return Covers(entry.second); });
}

std::string MariadbGtidPosition::ToString() const {
  std::string text;
  for (const auto& [domain, gtid] : domains_) {
    if (!text.empty()) text += ',';
    text += gtid.ToString();
  }
  return text;
}

}  // namespace penstock::model
