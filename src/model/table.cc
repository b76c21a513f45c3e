#include "model/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace penstock::model {
namespace {

// FNV-1a of 128 bits. Each text is hashed with its length, so that neighbours cannot be confused.
class Hasher {
 public:
  void Add(std::string_view text) {
    Add(uint64_t{text.size()});
    for (const char c : text) Byte(static_cast<uint8_t>(c));
  }
  void Add(uint64_t number) {
    for (int i = 0; i < 8; ++i) Byte(static_cast<uint8_t>(number >> (8 * i)));
  }
  std::string ToString() const {
    return fmt::format("{:016x}{:016x}", static_cast<uint64_t>(state_ >> 64),
                       static_cast<uint64_t>(state_));
  }

 private:
  using U128 = unsigned __int128;
  void Byte(uint8_t byte) {
    constexpr U128 kPrime = U128{1} << 88 | 0x13b;
    state_ = (state_ ^ byte) * kPrime;
  }

  U128 state_ = U128{0x6c62272e07bb0142} << 64 | 0x62b821756295c58d;
};

void AddColumn(Hasher& hasher, const Column& column) {
  hasher.Add(column.name);
  hasher.Add(static_cast<uint64_t>(column.type));
  hasher.Add(column.type_text);
  hasher.Add(uint64_t{column.is_unsigned});
  hasher.Add(uint64_t{column.nullable});
  hasher.Add(uint64_t{column.precision});
  hasher.Add(uint64_t{column.scale});
  hasher.Add(column.length);
  hasher.Add(column.charset);
  hasher.Add(column.collation);
  hasher.Add(uint64_t{column.labels.size()});
  for (const std::string& label : column.labels) hasher.Add(label);
  // What most columns have not is left out: fingerprints of older versions stay valid.
  if (column.compressed) hasher.Add("compressed");
  if (!column.in_log) hasher.Add("not in log");
}

}  // namespace

std::string Fingerprint(const Table& table) {
  Hasher hasher;
  hasher.Add(table.name.schema);
  hasher.Add(table.name.table);
  hasher.Add(uint64_t{table.columns.size()});
  for (const Column& column : table.columns) AddColumn(hasher, column);
  hasher.Add(uint64_t{table.key_is_primary});
  if (table.hidden_columns != 0) hasher.Add(uint64_t{table.hidden_columns});
  if (table.key_is_primary) {
    hasher.Add(uint64_t{table.key.size()});
    for (const size_t column : table.key) hasher.Add(uint64_t{column});
  }
  if (table.row_end) {
    hasher.Add("row end");
    hasher.Add(uint64_t{*table.row_end});
  }
  return hasher.ToString();
}

void RemoveAdded(const Table& before, Table& now) {
  for (size_t i = now.columns.size(); i-- > 0;) {
    const auto known = std::ranges::find(before.columns, now.columns[i].name, &Column::name);
    if (known != before.columns.end()) {
      if (known->collation.empty()) now.columns[i].collation.clear();
      continue;
    }
    if (now.key_is_primary && std::ranges::count(now.key, i) != 0) continue;
    now.columns.erase(now.columns.begin() + static_cast<ptrdiff_t>(i));
    for (size_t& index : now.key) index -= index > i ? 1 : 0;
    if (now.row_end && *now.row_end > i) --*now.row_end;
  }
}

std::string_view SqlTypeName(SqlType type) {
  switch (type) {
    case SqlType::kTinyInt:
      return "TINYINT";
    case SqlType::kSmallInt:
      return "SMALLINT";
    case SqlType::kMediumInt:
      return "MEDIUMINT";
    case SqlType::kInt:
      return "INT";
    case SqlType::kBigInt:
      return "BIGINT";
    case SqlType::kDecimal:
      return "DECIMAL";
    case SqlType::kFloat:
      return "FLOAT";
    case SqlType::kDouble:
      return "DOUBLE";
    case SqlType::kBit:
      return "BIT";
    case SqlType::kChar:
      return "CHAR";
    case SqlType::kVarChar:
      return "VARCHAR";
    case SqlType::kText:
      return "TEXT";
    case SqlType::kBinary:
      return "BINARY";
    case SqlType::kVarBinary:
      return "VARBINARY";
    case SqlType::kBlob:
      return "BLOB";
    case SqlType::kDate:
      return "DATE";
    case SqlType::kDateTime:
      return "DATETIME";
    case SqlType::kTimestamp:
      return "TIMESTAMP";
    case SqlType::kTime:
      return "TIME";
    case SqlType::kYear:
      return "YEAR";
    case SqlType::kEnum:
      return "ENUM";
    case SqlType::kSet:
      return "SET";
    case SqlType::kJson:
      return "JSON";
    case SqlType::kGeometry:
      return "GEOMETRY";
    case SqlType::kVector:
      return "VECTOR";
    case SqlType::kUuid:
      return "UUID";
    case SqlType::kInet4:
      return "INET4";
    case SqlType::kInet6:
      return "INET6";
    case SqlType::kUnsupported:
      return "UNSUPPORTED";
  }
  return "UNSUPPORTED";
}

}  // namespace penstock::model
