#include "typemap/chosen_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "clickhouse/quote.h"

namespace penstock::typemap {
namespace {

using Kind = ChosenType::Kind;
using model::Column;
using model::SqlType;

// --- reading -------------------------------------------------------------------------------------

// "Name" or "Name(argument, 'argument')", with arguments as they are written.
struct TypeText {
  std::string_view name;
  std::vector<std::string_view> arguments;
};

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<TypeText> Split(std::string_view text) {
  TypeText split;
  text = Trimmed(text);
  const size_t open = text.find('(');
  split.name = Trimmed(text.substr(0, open));
  if (open == std::string_view::npos) return split;
  if (!text.ends_with(')')) return std::nullopt;
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (true) {
    const size_t comma = rest.find(',');
    split.arguments.push_back(Trimmed(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return split;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<uint32_t> Number(std::string_view text) {
  uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

// A time zone's name in quotes; nothing else may be in them.
std::optional<std::string> Zone(std::string_view text) {
  if (text.size() < 3 || !text.starts_with('\'') || !text.ends_with('\'')) return std::nullopt;
  const std::string_view name = text.substr(1, text.size() - 2);
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '+' || c == '-';
  });
  if (!plain) return std::nullopt;
  return std::string(name);
}

struct NamedKind {
  std::string_view name;
  Kind kind;
  uint32_t bits = 0;
};

constexpr std::array kWithoutArguments = {
    NamedKind{"String", Kind::kString},   NamedKind{"Int8", Kind::kInt, 8},
    NamedKind{"Int16", Kind::kInt, 16},   NamedKind{"Int32", Kind::kInt, 32},
    NamedKind{"Int64", Kind::kInt, 64},   NamedKind{"UInt8", Kind::kUint, 8},
    NamedKind{"UInt16", Kind::kUint, 16}, NamedKind{"UInt32", Kind::kUint, 32},
    NamedKind{"UInt64", Kind::kUint, 64}, NamedKind{"Float64", Kind::kFloat64},
    NamedKind{"Bool", Kind::kBool},       NamedKind{"Date", Kind::kDate},
    NamedKind{"Date32", Kind::kDate32},   NamedKind{"DateTime", Kind::kDateTime},
    NamedKind{"Enum8", Kind::kEnum8},     NamedKind{"Enum16", Kind::kEnum16},
    NamedKind{"JSON", Kind::kJson},       NamedKind{"WKB", Kind::kWkb},
};

std::optional<ChosenType> ReadWithArguments(const TypeText& text) {
  ChosenType type;
  const auto& arguments = text.arguments;
  if (text.name == "FixedString" && arguments.size() == 1) {
    const auto length = Number(arguments[0]);
    if (!length) return std::nullopt;
    type.kind = Kind::kFixedString;
    type.length = *length;
    return type;
  }
  if (text.name == "Decimal" && arguments.size() == 2) {
    const auto precision = Number(arguments[0]);
    const auto scale = Number(arguments[1]);
    if (!precision || !scale || *precision < 1 || *precision > 76 || *scale > *precision) {
      return std::nullopt;
    }
    type.kind = Kind::kDecimal;
    type.precision = *precision;
    type.scale = *scale;
    return type;
  }
  if (text.name == "DateTime" && arguments.size() == 1) {
    const auto zone = Zone(arguments[0]);
    if (!zone) return std::nullopt;
    type.kind = Kind::kDateTime;
    type.zone = *zone;
    return type;
  }
  if (text.name == "DateTime64" && arguments.size() <= 2) {
    const auto scale = Number(arguments[0]);
    if (!scale || *scale > 6) return std::nullopt;
    type.kind = Kind::kDateTime64;
    type.scale = *scale;
    if (arguments.size() == 1) return type;
    const auto zone = Zone(arguments[1]);
    if (!zone) return std::nullopt;
    type.zone = *zone;
    return type;
  }
  return std::nullopt;
}

std::optional<ChosenType> Read(std::string_view text) {
  const auto split = Split(text);
  if (!split) return std::nullopt;
  if (split->name == "LowCardinality" && split->arguments.size() == 1) {
    auto inner = Read(split->arguments[0]);
    if (!inner || inner->kind != Kind::kString || inner->low_cardinality) return std::nullopt;
    inner->low_cardinality = true;
    return inner;
  }
  if (!split->arguments.empty()) return ReadWithArguments(*split);
  const auto* named = std::ranges::find(kWithoutArguments, split->name, &NamedKind::name);
  if (named == kWithoutArguments.end()) return std::nullopt;
  ChosenType type;
  type.kind = named->kind;
  type.bits = named->bits;
  return type;
}

// --- what is allowed -----------------------------------------------------------------------------

bool IsInteger(SqlType type) { return type <= SqlType::kBigInt; }

bool IsText(SqlType type) {
  return type == SqlType::kChar || type == SqlType::kVarChar || type == SqlType::kText;
}

// Of the default type.
uint32_t IntegerBits(SqlType type) {
  switch (type) {
    case SqlType::kTinyInt:
      return 8;
    case SqlType::kSmallInt:
    case SqlType::kYear:
      return 16;
    case SqlType::kMediumInt:
    case SqlType::kInt:
      return 32;
    default:
      return 64;
  }
}

bool IsUnsigned(const Column& column) {
  return column.is_unsigned || column.type == SqlType::kYear || column.type == SqlType::kBit;
}

bool HoldsIntegers(const Column& column, const ChosenType& type) {
  if (!IsInteger(column.type) && column.type != SqlType::kYear && column.type != SqlType::kBit) {
    return false;
  }
  const uint32_t bits = IntegerBits(column.type);
  if (type.kind == Kind::kUint) return IsUnsigned(column) && type.bits >= bits;
  return IsUnsigned(column) ? type.bits > bits : type.bits >= bits;
}

// A DATETIME is a wall clock: only in UTC does ClickHouse print it as it is.
bool ZoneFits(const Column& column, const ChosenType& type) {
  return column.type == SqlType::kTimestamp || type.zone == "UTC";
}

bool EnumFits(const Column& column, size_t labels_max) {
  return column.type == SqlType::kEnum && column.labels.size() <= labels_max &&
         std::ranges::find(column.labels, "") == column.labels.end();
}

// Of the types before it, all but these have a text that both servers and versions agree on.
bool HasText(SqlType type) {
  return type != SqlType::kFloat && type != SqlType::kDouble && type < SqlType::kVector;
}

// Those that arrive as UTF-8.
bool IsUnicodeText(const Column& column) {
  return column.charset.starts_with("utf8") || column.charset == "ascii";
}

bool Keeps(const Column& column, const ChosenType& type) {
  const bool is_moment = column.type == SqlType::kDateTime || column.type == SqlType::kTimestamp;
  switch (type.kind) {
    case Kind::kString:
      return HasText(column.type);
    case Kind::kFixedString:
      return column.type == SqlType::kBinary && column.length == type.length;
    case Kind::kInt:
    case Kind::kUint:
      return HoldsIntegers(column, type);
    case Kind::kFloat64:
      return column.type == SqlType::kFloat || column.type == SqlType::kDouble;
    case Kind::kDecimal:
      return column.type == SqlType::kDecimal && type.scale >= column.scale &&
             type.precision - type.scale >= column.precision - column.scale;
    case Kind::kBool:
      return column.type == SqlType::kTinyInt ||
             (column.type == SqlType::kBit && column.precision == 1);
    case Kind::kDate:
    case Kind::kDate32:
      return column.type == SqlType::kDate;
    case Kind::kDateTime:
      return is_moment && column.scale == 0 && ZoneFits(column, type);
    case Kind::kDateTime64:
      return is_moment && type.scale >= column.scale && ZoneFits(column, type);
    case Kind::kEnum8:
      return EnumFits(column, 127);
    case Kind::kEnum16:
      return EnumFits(column, 32'767);
    case Kind::kJson:
      return column.type == SqlType::kJson || (IsText(column.type) && IsUnicodeText(column));
    case Kind::kWkb:
      return column.type == SqlType::kGeometry;
  }
  return false;
}

std::string EnumType(std::string_view name, const Column& column) {
  std::string text = fmt::format("{}('' = 0", name);
  for (size_t i = 0; i < column.labels.size(); ++i) {
    text += fmt::format(", {} = {}", clickhouse::QuoteString(column.labels[i]), i + 1);
  }
  return text + ")";
}

std::string ZoneArgument(const ChosenType& type) {
  return type.zone.empty() ? "" : fmt::format("'{}'", type.zone);
}

Failure Refuse(const Column& column, std::string_view text, std::string_view reason) {
  return Fail({.code = ErrorCode::kInvalidArgument,
               .message = fmt::format("column {} ({}) cannot be {}: {}", column.name,
                                      column.type_text, text, reason),
               .origin = "source",
               .native_code = 0,
               .remedy = "Choose a targetType from the list in docs/type-mapping.md, or leave it "
                         "out"});
}

}  // namespace

Result<ChosenType> ChooseType(const Column& column, std::string_view text) {
  if (text.find("Nullable") != std::string_view::npos) {
    return Refuse(column, text,
                  "leave Nullable out: it follows the column and allowNullableColumns");
  }
  auto type = Read(text);
  if (!type) return Refuse(column, text, "penstock does not know this type");
  if (!Keeps(column, *type)) return Refuse(column, text, "it would not keep every value");
  return *std::move(type);
}

std::string NativeTypeOf(const ChosenType& type, const Column& column) {
  switch (type.kind) {
    case Kind::kString:
    case Kind::kWkb:
      return "String";
    case Kind::kFixedString:
      return fmt::format("FixedString({})", type.length);
    case Kind::kInt:
      return fmt::format("Int{}", type.bits);
    case Kind::kUint:
      return fmt::format("UInt{}", type.bits);
    case Kind::kFloat64:
      return "Float64";
    case Kind::kDecimal:
      return fmt::format("Decimal({}, {})", type.precision, type.scale);
    case Kind::kBool:
      return "Bool";
    case Kind::kDate:
      return "Date";
    case Kind::kDate32:
      return "Date32";
    case Kind::kDateTime:
      return type.zone.empty() ? "DateTime" : fmt::format("DateTime({})", ZoneArgument(type));
    case Kind::kDateTime64:
      return fmt::format("DateTime64({}{}{})", type.scale, type.zone.empty() ? "" : ", ",
                         ZoneArgument(type));
    case Kind::kEnum8:
      return EnumType("Enum8", column);
    case Kind::kEnum16:
      return EnumType("Enum16", column);
    case Kind::kJson:
      return "JSON";
  }
  return "String";
}

std::string NativePrefixOf(const ChosenType& type) {
  if (type.kind != Kind::kJson) return "";
  return std::string("\x01\0\0\0\0\0\0\0", 8);  // serialization version 1: documents as text
}

}  // namespace penstock::typemap
