#include "stream/added_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "mysql/wire/column_type.h"
#include "typemap/added_column.h"

namespace penstock::stream {
namespace {

using ddl::AddedColumn;
using model::SqlType;

constexpr uint32_t kWidthsUntil = 80'019;  // MySQL; then it prints integers without one

Failure Unclear(const AddedColumn& added, std::string_view what) {
  return Fail(ErrorCode::kConflict, "of the column {} this is not followed: {}", added.name, what);
}

bool IsMariadb(const mysql::ServerInfo& source) {
  return source.flavour == mysql::Flavour::kMariadb;
}

// Column names compare without case; of those beyond ASCII the server knows.
bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

struct Alias {
  std::string_view word;
  std::string_view type;
};
constexpr std::array kAliases = {
    Alias{"int1", "tinyint"},
    Alias{"int2", "smallint"},
    Alias{"int3", "mediumint"},
    Alias{"middleint", "mediumint"},
    Alias{"int4", "int"},
    Alias{"integer", "int"},
    Alias{"int8", "bigint"},
    Alias{"dec", "decimal"},
    Alias{"numeric", "decimal"},
    Alias{"fixed", "decimal"},
    Alias{"double precision", "double"},
    Alias{"float8", "double"},
    Alias{"character", "char"},
    Alias{"char varying", "varchar"},
    Alias{"character varying", "varchar"},
    Alias{"varcharacter", "varchar"},
};

// Digits that older servers print of an integer without a given width: signed, unsigned.
struct Width {
  std::string_view type;
  std::string_view is_signed;
  std::string_view is_unsigned;
};
constexpr std::array kWidths = {
    Width{"tinyint", "4", "3"}, Width{"smallint", "6", "5"}, Width{"mediumint", "9", "8"},
    Width{"int", "11", "10"},   Width{"bigint", "20", "20"},
};

std::string IntegerText(const AddedColumn& added, const Width& width, bool prints_widths) {
  std::string text(width.type);
  std::string_view digits = added.is_unsigned ? width.is_unsigned : width.is_signed;
  if (!added.arguments.empty()) digits = added.arguments[0];
  const bool is_bool = width.type == "tinyint" && digits == "1" && !added.is_unsigned;
  if (prints_widths || is_bool) text += fmt::format("({})", digits);
  return added.is_unsigned ? text + " unsigned" : text;
}

// What the server prints in brackets where the statement has none.
std::string_view ImpliedArguments(std::string_view type, bool prints_widths) {
  if (type == "decimal") return "(10,0)";
  if (type == "char" || type == "binary" || type == "bit") return "(1)";
  if (type == "vector") return "(2048)";
  if (type == "year" && prints_widths) return "(4)";
  return "";
}

std::string QuotedLabels(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) {
    text += text.empty() ? "'" : ",'";
    for (const char c : label) text += c == '\'' ? "''" : std::string(1, c);
    text += "'";
  }
  return text;
}

// As information_schema will print it (COLUMN_TYPE).
std::optional<std::string> TypeText(const AddedColumn& added, const mysql::ServerInfo& source) {
  const bool prints_widths = IsMariadb(source) || source.number < kWidthsUntil;
  const std::vector<std::string>& arguments = added.arguments;
  if (added.type == "bool" || added.type == "boolean") return "tinyint(1)";
  if (added.type == "json" && IsMariadb(source)) return "longtext";
  const auto* alias = std::ranges::find(kAliases, added.type, &Alias::word);
  const std::string type(alias == kAliases.end() ? added.type : alias->type);
  const auto* width = std::ranges::find(kWidths, type, &Width::type);
  if (width != kWidths.end()) return IntegerText(added, *width, prints_widths);
  if (type == "enum" || type == "set") {
    const bool plain = std::ranges::all_of(arguments, [](const std::string& label) {
      return label.find('\\') == label.npos && !label.ends_with(' ');
    });
    if (!plain) return std::nullopt;
    return fmt::format("{}({})", type, QuotedLabels(arguments));
  }
  const bool sized = type.ends_with("text") || type.ends_with("blob");
  if (!arguments.empty() && (sized || (type == "float" && arguments.size() == 1))) {
    return std::nullopt;  // the server chooses a type by the size
  }
  const bool has_fraction = type == "datetime" || type == "timestamp" || type == "time";
  std::string text = type;
  if (arguments.empty()) {
    text += ImpliedArguments(type, prints_widths);
  } else if (!(has_fraction && arguments[0] == "0") && (type != "year" || prints_widths)) {
    text += fmt::format("({}{})", fmt::join(arguments, ","),
                        type == "decimal" && arguments.size() == 1 ? ",0" : "");
  }
  return added.is_unsigned ? text + " unsigned" : text;
}

bool HasCharset(SqlType type) {
  return type == SqlType::kChar || type == SqlType::kVarChar || type == SqlType::kText ||
         type == SqlType::kEnum || type == SqlType::kSet;
}

// Every collation but "binary" begins with the name of its character set; MariaDB has some that
// leave it out.
std::string CharsetOf(std::string_view collation) {
  const std::string_view charset = collation.substr(0, collation.find('_'));
  return charset == "uca1400" ? "" : std::string(charset);
}

// Where only a character set is given, its default collation depends on the server's settings.
bool ChooseCharset(const AddedColumn& added, const model::Table& table, bool is_json,
                   model::Column& column) {
  if (is_json) {
    column.collation = "utf8mb4_bin";
  } else if (!added.collation.empty()) {
    column.collation = added.collation;
  } else if (added.charset.empty()) {
    column.collation = table.collation;
  }
  column.charset = column.collation.empty() ? added.charset : CharsetOf(column.collation);
  if (column.charset == "utf8") column.charset = "utf8mb3";
  const bool agree = added.charset.empty() || is_json || column.charset == added.charset ||
                     (added.charset == "utf8" && column.charset == "utf8mb3");
  return agree && !column.charset.empty() && column.charset != "binary";
}

Result<model::Column> ColumnOf(const AddedColumn& added, const model::Table& table,
                               const mysql::ServerInfo& source) {
  if (added.unclear) return Unclear(added, *added.unclear);
  const auto text = TypeText(added, source);
  model::Column column;
  column.name = added.name;
  if (text) mysql::ParseColumnType(*text, column);
  if (column.type == SqlType::kUnsupported) return Unclear(added, added.type);
  // Some servers make such a column NOT NULL, and set a default that is the time.
  if (column.type == SqlType::kTimestamp && !added.nullable) {
    return Unclear(added, "a TIMESTAMP that says neither NULL nor NOT NULL");
  }
  column.nullable = added.nullable.value_or(true);
  // The server would convert labels, perhaps with loss.
  const bool plain = std::ranges::all_of(column.labels, [](const std::string& label) {
    return std::ranges::all_of(label, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  });
  if (HasCharset(column.type) && !ChooseCharset(added, table, added.type == "json", column)) {
    return Unclear(added, "its character set");
  }
  if (!plain && column.charset != "utf8mb4") return Unclear(added, "its labels");
  return column;
}

std::optional<size_t> PlaceOf(const AddedColumn& added, const model::Table& table) {
  if (added.first) return 0;
  if (added.after.empty()) return table.columns.size();
  const auto before = std::ranges::find_if(
      table.columns, [&](const model::Column& c) { return SameName(c.name, added.after); });
  if (before == table.columns.end()) return std::nullopt;
  return static_cast<size_t>(before - table.columns.begin()) + 1;
}

// The times of system-versioned tables, and what only the log has, are in places of their own.
Status Add(const AddedColumn& added, const mysql::ServerInfo& source, model::Table& table) {
  const bool is_there = std::ranges::any_of(
      table.columns, [&](const model::Column& c) { return SameName(c.name, added.name); });
  if (is_there && added.unless_there) return {};
  PENSTOCK_ASSIGN(model::Column column, ColumnOf(added, table, source));
  const auto place = PlaceOf(added, table);
  if (is_there || !place) return Unclear(added, "its place: the table was another one");
  if (table.row_end || table.hidden_columns != 0) return Unclear(added, "hidden columns");
  table.columns.insert(table.columns.begin() + static_cast<ptrdiff_t>(*place), std::move(column));
  for (size_t& index : table.key) index += index >= *place ? 1 : 0;
  return {};
}

const AddedColumn* FindAdded(const std::vector<AddedColumn>& added, const std::string& name) {
  const auto found = std::ranges::find(added, name, &AddedColumn::name);
  return found == added.end() ? nullptr : &*found;
}

}  // namespace

Result<Addition> PlanAddition(const model::Table& before, const typemap::TargetOptions& options,
                              const std::vector<ddl::AddedColumn>& added,
                              const mysql::ServerInfo& source) {
  model::Table table = before;
  for (const AddedColumn& column : added) PENSTOCK_TRY(Add(column, source, table));
  PENSTOCK_ASSIGN(auto writer, typemap::TableWriter::Make(table, options));
  PENSTOCK_ASSIGN(const auto key_before, typemap::SortingKey(before, options));
  PENSTOCK_ASSIGN(const auto key, typemap::SortingKey(table, options));
  if (key != key_before) {
    return Fail(ErrorCode::kConflict, "the sorting key at the destination is the whole row");
  }
  PENSTOCK_ASSIGN(const auto there, typemap::DestinationColumns(before, options));
  PENSTOCK_ASSIGN(auto columns, typemap::DestinationColumns(table, options));
  Addition addition{.definition = table, .writer = std::move(writer), .columns = {}};
  std::string after;
  for (auto& column : columns) {
    const std::string name = column.name;
    if (std::ranges::count(there, name, &clickhouse::DestinationColumn::name) == 0) {
      const auto definition = std::ranges::find(table.columns, name, &model::Column::name);
      PENSTOCK_ASSIGN(column.default_expression,
                      typemap::OldRowsDefault(*definition, FindAdded(added, name)->default_value,
                                              options.TypesOf(table, name)));
      addition.columns.push_back({.column = std::move(column), .after = std::move(after)});
    }
    after = name;
  }
  return addition;
}

}  // namespace penstock::stream
