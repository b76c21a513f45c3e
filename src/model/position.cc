#include "model/position.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace penstock::model {
namespace {

constexpr std::array kMechanisms = {Mechanism::kMysqlGtid, Mechanism::kMariadbGtid,
                                    Mechanism::kFile};

// Percent-escapes what would break the line or its fields.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '|' || c == '%' || byte < 0x20) {
      escaped += fmt::format("%{:02x}", byte);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned byte = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

template <typename T>
bool ParseNumber(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The text up to the next bar, which is removed with it.
std::string_view TakeField(std::string_view& rest) {
  const size_t length = std::min(rest.find('|'), rest.size());
  const std::string_view field = rest.substr(0, length);
  rest.remove_prefix(std::min(length + 1, rest.size()));
  return field;
}

}  // namespace

std::string_view MechanismName(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::kMysqlGtid:
      return "mysql_gtid";
    case Mechanism::kMariadbGtid:
      return "mariadb_gtid";
    case Mechanism::kFile:
      return "file";
  }
  return "file";
}

std::string Position::ToString() const {
  switch (mechanism) {
    case Mechanism::kMysqlGtid:
      return mysql.ToString();
    case Mechanism::kMariadbGtid:
      return mariadb.ToString();
    case Mechanism::kFile:
      break;
  }
  return fmt::format("{}:{}", file, offset);
}

std::string Position::Serialize() const {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}", MechanismName(mechanism), Escape(file), offset,
                     mysql.ToString(), mariadb.ToString(), file_mark, Escape(server));
}

Result<Position> Position::Parse(std::string_view serialized) {
  const auto malformed = [serialized] {
    return Fail(ErrorCode::kBadData, "position is malformed: '{}'", serialized.substr(0, 200));
  };
  const auto bars = std::count(serialized.begin(), serialized.end(), '|');
  if (bars != 4 && bars != 6) return malformed();
  std::string_view rest = serialized;
  const std::string_view name = TakeField(rest);
  const auto mechanism = std::find_if(kMechanisms.begin(), kMechanisms.end(),
                                      [name](Mechanism m) { return MechanismName(m) == name; });
  auto file = Unescape(TakeField(rest));
  if (mechanism == kMechanisms.end() || !file) return malformed();

  Position position;
  position.mechanism = *mechanism;
  position.file = std::move(*file);
  if (!ParseNumber(TakeField(rest), position.offset)) return malformed();
  PENSTOCK_ASSIGN(position.mysql, MysqlGtidSet::Parse(TakeField(rest)));
  PENSTOCK_ASSIGN(position.mariadb, MariadbGtidPosition::Parse(TakeField(rest)));
  if (bars == 4) return position;
  if (!ParseNumber(TakeField(rest), position.file_mark)) return malformed();
  auto server = Unescape(rest);
  if (!server) return malformed();
  position.server = std::move(*server);
  return position;
}

}  // namespace penstock::model
