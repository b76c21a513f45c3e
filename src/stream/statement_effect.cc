#include "stream/statement_effect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace penstock::stream {
namespace {

using Kind = ddl::StatementKind;

constexpr size_t kSqlBytesMax = 200;

enum class Match { kNo, kPerhaps, kYes };

// Of a name that is not ASCII the server alone knows the lower case: such bytes are passed over.
Match MatchOf(std::string_view a, std::string_view b, bool ignore_case) {
  if (a == b) return Match::kYes;
  if (!ignore_case) return Match::kNo;
  const auto fold = [](std::string_view name) {
    std::string folded;
    for (const char c : name) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) folded += static_cast<char>(std::tolower(byte));
    }
    return folded;
  };
  const std::string folded = fold(a);
  if (folded != fold(b)) return Match::kNo;
  return folded.size() == a.size() && folded.size() == b.size() ? Match::kYes : Match::kPerhaps;
}

Match MatchOf(const model::TableName& named, const model::TableName& table, bool ignore_case) {
  const Match schema = MatchOf(named.schema, table.schema, ignore_case);
  if (named.table.empty()) return schema;
  return std::min(schema, MatchOf(named.table, table.table, ignore_case));
}

}  // namespace

std::string Shown(std::string_view sql) {
  std::string upper(sql);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  for (const std::string_view secret : {"CONNECTION", "PASSWORD", "IDENTIFIED", "ENCRYPT"}) {
    if (upper.find(secret) != upper.npos) return {};
  }
  std::string shown(sql.substr(0, kSqlBytesMax));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return fmt::format(" ({}{})", shown, sql.size() > kSqlBytesMax ? "..." : "");
}

namespace {

Error Unfollowed(std::string message, std::string_view remedy) {
  return {.code = ErrorCode::kNeedsUser,
          .message = std::move(message),
          .origin = "source",
          .native_code = 0,
          .remedy = std::string(remedy)};
}

}  // namespace

bool IsNamed(const model::Table& table, const model::TableName& named, bool names_ignore_case) {
  return MatchOf(named, table.name, names_ignore_case) != Match::kNo;
}

StatementEffect EffectOn(const model::Table& table, const ddl::Statement& statement,
                         std::string_view sql, bool names_ignore_case) {
  Match match = Match::kNo;
  for (const model::TableName& name : statement.tables) {
    match = std::max(match, MatchOf(name, table.name, names_ignore_case));
  }
  if (match == Match::kNo) return {};
  switch (statement.kind) {
    case Kind::kTruncate:
      if (match == Match::kYes) return Truncates{};
      break;
    case Kind::kColumnAddition:
      if (match == Match::kYes) return AddsColumns{};
      break;
    case Kind::kKeyChange:
      if (table.key_is_primary) return {};
      break;
    case Kind::kTableChange:
      break;
    case Kind::kDataChange:  // its text holds values
      return Unfollowed(fmt::format("a statement that may change {} was logged as text instead of "
                                    "rows",
                                    table.name.ToString()),
                        "Set binlog_format to ROW in every session of the source; then resync "
                        "the table (penstock resync)");
    default:
      return {};
  }
  return Unfollowed(fmt::format("a schema change of {} is in the log, which this version does not "
                                "follow{}",
                                table.name.ToString(), Shown(sql)),
                    "Resync the table (penstock resync)");
}

}  // namespace penstock::stream
