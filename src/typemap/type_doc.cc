#include "typemap/type_doc.h"

#include <string_view>
#include <vector>

#include "base/check.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

using model::Column;
using model::SqlType;

constexpr std::string_view kIntroduction =
    R"(# Types: from MySQL and MariaDB to ClickHouse

<!-- Made from the code by PENSTOCK_WRITE_DOCS=1 build/dev/typemap_test --gtest_filter='TypeDoc*' -->

A value is decoded from the bytes the source sent and written by one converter, whether it comes by
the snapshot or by the log: a row is the same bytes in ClickHouse either way.

- A column that may be NULL becomes `Nullable(...)`. With `allowNullableColumns: false` no column does,
  and NULL becomes the type's default (0, '', 1970-01-01). A column of the sorting key is Nullable only where
  the whole row is the key (`identicalRowsMayCollapse`).
- A value that its type in ClickHouse cannot hold follows the rule in the third column. Each such value
  is counted by table and column as clamped, nulled or replaced (`penstock tables NAME`, and
  `changedColumns` in the API), and the first of a kind writes an event of kind `value_changed`. None is
  wrapped, none disappears.
- In a column of the sorting key no rule applies, since two rows could become one: the table is quarantined before
  the row is written and says which column it is. `penstock check` warns of such columns; mapped to
  `String` they hold every value (see below).
- Integers, decimals and floating-point numbers are exact by both ways. FLOAT and DOUBLE arrive as the
  bits the source stores.

## Default types

)";

constexpr std::string_view kChosenIntroduction =
    R"md(
## Chosen types

A mapping may choose another type, and a codec, for a column:

```yaml
tableMappings:
  - sourceSchemaName: shop
    sourceTable: orders
    targetTable: orders
    columnOverrides:
      - {sourceColumn: day, targetType: String}
      - {sourceColumn: payload, targetType: JSON, codec: "ZSTD(3)"}
```

Only types that keep every value, or follow a rule of their own, are taken; another is refused when the
pipe is created. `Nullable` is left out: it follows the column and `allowNullableColumns`. ClickHouse's
`JSON` leaves out members that are null, and refuses documents in which two paths are one
(`{"a.b": 1, "a": {"b": 2}}`); such a document quarantines the table with ClickHouse's words.

)md";

constexpr std::string_view kTextNote =
    "bytes that are no character of the column's character set become `?`, and are counted as "
    "replaced";

struct TypeRow {
  std::string_view source;
  Column column;  // an example of the source type
  std::string_view note = {};
  std::string_view example = {};
};

Column Of(SqlType type, uint32_t precision = 0, uint32_t scale = 0) {
  Column column;
  column.name = "c";
  column.type = type;
  column.nullable = false;
  column.precision = precision;
  column.scale = scale;
  return column;
}

Column Unsigned(SqlType type) {
  Column column = Of(type);
  column.is_unsigned = true;
  return column;
}

Column Text(SqlType type) {
  Column column = Of(type);
  column.charset = "utf8mb4";
  return column;
}

Column Sized(SqlType type, uint64_t length) {
  Column column = Of(type);
  column.length = length;
  return column;
}

Column Labelled(SqlType type) {
  Column column = Of(type);
  column.labels = {"new", "paid"};
  return column;
}

Column Boolean() {
  Column column = Of(SqlType::kTinyInt);
  column.type_text = "tinyint(1)";
  return column;
}

std::vector<TypeRow> NumberRows() {
  return {
      {"TINYINT, BOOL", Of(SqlType::kTinyInt), "", "-128"},
      {"TINYINT UNSIGNED", Unsigned(SqlType::kTinyInt), "", "255"},
      {"SMALLINT", Of(SqlType::kSmallInt), "", "-32768"},
      {"SMALLINT UNSIGNED", Unsigned(SqlType::kSmallInt), "", "65535"},
      {"MEDIUMINT", Of(SqlType::kMediumInt), "", "-8388608"},
      {"MEDIUMINT UNSIGNED", Unsigned(SqlType::kMediumInt), "", "16777215"},
      {"INT", Of(SqlType::kInt), "", "-2147483648"},
      {"INT UNSIGNED", Unsigned(SqlType::kInt), "", "4294967295"},
      {"BIGINT", Of(SqlType::kBigInt), "", "-9223372036854775808"},
      {"BIGINT UNSIGNED, SERIAL", Unsigned(SqlType::kBigInt), "", "18446744073709551615"},
      {"DECIMAL(10,2), NUMERIC", Of(SqlType::kDecimal, 10, 2), "", "-12.30"},
      {"DECIMAL(65,30)", Of(SqlType::kDecimal, 65, 30), "", "0.000000000000000000000000000001"},
      {"FLOAT", Of(SqlType::kFloat), "", "0.1"},
      {"DOUBLE, REAL", Of(SqlType::kDouble), "", "1.7976931348623157e308"},
      {"BIT(1) to BIT(64)", Of(SqlType::kBit, 64), "", "b'101' is 5"},
      {"YEAR", Of(SqlType::kYear), "", "2155; 0000 is 0"},
  };
}

std::vector<TypeRow> TimeRows() {
  return {
      {"DATE", Of(SqlType::kDate), "", "2024-02-29"},
      {"DATETIME", Of(SqlType::kDateTime), "", "2024-02-29 23:59:59, the same wall clock"},
      {"DATETIME(6)", Of(SqlType::kDateTime, 0, 6), "", "2024-02-29 23:59:59.999999"},
      {"TIMESTAMP(3)", Of(SqlType::kTimestamp, 0, 3), "",
       "the same instant, printed in UTC; to 2106 where the source goes so far"},
      {"TIME", Of(SqlType::kTime), "needs ClickHouse 25.6", "-838:59:59"},
      {"TIME(6)", Of(SqlType::kTime, 0, 6), "needs ClickHouse 25.6", "-00:00:00.000001"},
  };
}

std::vector<TypeRow> OtherRows() {
  return {
      {"CHAR, VARCHAR", Text(SqlType::kVarChar), kTextNote,
       "UTF-8, from whatever character set the column has"},
      {"TINYTEXT to LONGTEXT, MariaDB's JSON", Text(SqlType::kText), kTextNote, "as above"},
      {"BINARY(16)", Sized(SqlType::kBinary, 16), "", "the bytes, zeros at the end included"},
      {"VARBINARY, TINYBLOB to LONGBLOB", Of(SqlType::kBlob), "", "the bytes"},
      {"ENUM", Labelled(SqlType::kEnum), "", "the label; the error value 0 is ''"},
      {"SET", Labelled(SqlType::kSet), "", "'a,c' as the source prints it"},
      {"JSON", Of(SqlType::kJson), "", "the text the source prints, byte for byte"},
      {"GEOMETRY, POINT and kin", Of(SqlType::kGeometry), "",
       "POINT(13.4 52.5): WKT, x before y as stored, shortest exact numbers, without the SRID"},
      {"VECTOR(n)", Sized(SqlType::kVector, 3), "NULL becomes [], which no vector is",
       "[1.5,2,-0]"},
      {"UUID (MariaDB)", Of(SqlType::kUuid), "", "123e4567-e89b-12d3-a456-426655440000"},
      {"INET4 (MariaDB)", Of(SqlType::kInet4), "", "192.0.2.1"},
      {"INET6 (MariaDB)", Of(SqlType::kInet6), "", "2001:db8::1"},
  };
}

std::string RuleText(const Column& column, const TypeOptions& options, std::string_view note) {
  std::string text = RangeRule(column, options);
  if (!note.empty()) text += (text.empty() ? "" : "; ") + std::string(note);
  return text.empty() ? "holds all" : text;
}

void AppendRow(const TypeRow& row, std::string& out) {
  const auto mapping = MapColumn(row.column, {}, false);
  PENSTOCK_CHECK(mapping.has_value());
  out += fmt::format("| {} | `{}` | {} | {} |\n", row.source, mapping->declared_type,
                     RuleText(row.column, {}, row.note), row.example);
}

struct ChosenRow {
  std::string_view source;
  Column column;
  std::vector<std::string> types;
};

std::vector<ChosenRow> ChosenRows() {
  return {
      {"integers, YEAR", Of(SqlType::kSmallInt), {"Int32", "Int64", "String"}},
      {"unsigned integers", Unsigned(SqlType::kSmallInt), {"UInt32", "Int32", "String"}},
      {"TINYINT, BIT(1)", Boolean(), {"Bool"}},
      {"DECIMAL(10,2)", Of(SqlType::kDecimal, 10, 2), {"Decimal(18, 4)", "String"}},
      {"FLOAT", Of(SqlType::kFloat), {"Float64"}},
      {"DATE", Of(SqlType::kDate), {"Date", "String"}},
      {"DATETIME", Of(SqlType::kDateTime), {"DateTime('UTC')", "DateTime64(3, 'UTC')", "String"}},
      {"TIMESTAMP",
       Of(SqlType::kTimestamp),
       {"DateTime", "DateTime('Asia/Tokyo')", "DateTime64(3, 'Asia/Tokyo')", "String"}},
      {"TIME(3)", Of(SqlType::kTime, 0, 3), {"String"}},
      {"CHAR, VARCHAR, TEXT", Text(SqlType::kVarChar), {"LowCardinality(String)", "JSON"}},
      {"BINARY(16)", Sized(SqlType::kBinary, 16), {"FixedString(16)"}},
      {"ENUM", Labelled(SqlType::kEnum), {"Enum8", "Enum16", "String"}},
      {"JSON", Of(SqlType::kJson), {"JSON", "LowCardinality(String)"}},
      {"GEOMETRY and kin", Of(SqlType::kGeometry), {"WKB"}},
  };
}

void AppendChosen(const ChosenRow& row, std::string& out) {
  for (const std::string& type : row.types) {
    const TypeOptions options{.target_type = type};
    const auto mapping = MapColumn(row.column, options, false);
    PENSTOCK_CHECK(mapping.has_value());
    out += fmt::format("| {} | `{}` | `{}` | {} |\n", row.source, type, mapping->declared_type,
                       RuleText(row.column, options, ""));
  }
}

}  // namespace

std::string TypeMappingDocument() {
  std::string out(kIntroduction);
  out += "| source | ClickHouse | what it cannot hold | example |\n|---|---|---|---|\n";
  for (const auto& rows : {NumberRows(), TimeRows(), OtherRows()}) {
    for (const TypeRow& row : rows) AppendRow(row, out);
  }
  out +=
      "\nWith `tinyint1isBool: true`, TINYINT(1) and BIT(1) become `Bool`; numbers other than 0 "
      "and 1 "
      "become true, and are counted.\n\n"
      "Columns of the formats of before MySQL 5.6, COMPRESSED columns and invisible ones become "
      "what "
      "others of their type do. Generated columns are copied like others; where the source's log "
      "lacks them (MariaDB from 11.0 on) a changed row is read again by its primary key.\n";
  out += kChosenIntroduction;
  out += "| source | targetType | ClickHouse | what it cannot hold |\n|---|---|---|---|\n";
  for (const ChosenRow& row : ChosenRows()) AppendChosen(row, out);
  out +=
      "\n`String` holds what the source prints: dates of any year, zero and partial ones, times "
      "and "
      "timestamps (in UTC) with all their digits; numbers without the zeros of ZEROFILL. `WKB` is "
      "a "
      "String of the bytes the source stores: the SRID in four bytes, little-endian, then the "
      "well-known binary form.\n";
  return out;
}

}  // namespace penstock::typemap
