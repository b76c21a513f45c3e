#include "mysql/binlog/column_details.h"

#include "base/byte_reader.h"
#include "mysql/binlog/collation.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using Columns = std::vector<size_t>;  // indexes
using Details = std::vector<ColumnDetails>;

// The columns that a field of the metadata has an entry for, by kind.
struct ColumnKinds {
  Columns text;
  Columns enums;
  Columns sets;
  Columns labelled;           // enums and sets
  bool text_is_clear = true;  // servers do not agree on whether a compressed column is text
};

ColumnKinds KindsOf(const TableMap& map) {
  ColumnKinds kinds;
  for (size_t i = 0; i < map.types.size(); ++i) {
    const auto real_type = static_cast<uint8_t>(map.metadata[i] & 0xff);
    switch (static_cast<uint8_t>(map.types[i])) {
      case kStringColumn:
        if (real_type == kEnumColumn || real_type == kSetColumn) {
          (real_type == kEnumColumn ? kinds.enums : kinds.sets).push_back(i);
          kinds.labelled.push_back(i);
          break;
        }
        [[fallthrough]];
      case kVarCharColumn:
      case kVarStringColumn:
      case kBlobColumn:
      case kGeometryColumn:
        kinds.text.push_back(i);
        break;
      case kVarCharCompressedColumn:
      case kBlobCompressedColumn:
        kinds.text_is_clear = false;
        break;
      default:
        break;
    }
  }
  return kinds;
}

// A collation for all, then those that have another one, by number among `columns`.
void ReadDefaultCharset(std::string_view value, const Columns& columns, Details& details) {
  ByteReader reader(value);
  const std::string_view common = CharsetOfCollation(reader.LengthEncoded());
  for (const size_t column : columns) details[column].charset = common;
  while (!reader.AtEnd()) {
    const uint64_t number = reader.LengthEncoded();
    const uint64_t collation = reader.LengthEncoded();
    if (reader.ok() && number < columns.size()) {
      details[columns[number]].charset = CharsetOfCollation(collation);
    }
  }
}

void ReadCharsets(std::string_view value, const Columns& columns, Details& details) {
  ByteReader reader(value);
  for (const size_t column : columns) {
    const uint64_t collation = reader.LengthEncoded();
    if (reader.ok()) details[column].charset = CharsetOfCollation(collation);
  }
}

void ReadLabels(std::string_view value, const Columns& columns, Details& details) {
  ByteReader reader(value);
  for (const size_t column : columns) {
    const uint64_t count = reader.LengthEncoded();
    for (uint64_t i = 0; i < count && reader.ok(); ++i) {
      const std::string_view label = reader.LengthEncodedBytes();
      if (reader.ok()) details[column].labels.push_back(label);
    }
  }
}

}  // namespace

// "Optional metadata fields" of
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
Details ReadColumnDetails(const TableMap& map) {
  enum Field : uint8_t {
    kDefaultCharset = 2,
    kColumnCharset = 3,
    kSetLabels = 5,
    kEnumLabels = 6,
    kDefaultLabelCharset = 10,
    kLabelCharset = 11,
  };
  Details details(map.types.size());
  const ColumnKinds kinds = KindsOf(map);
  ByteReader reader(map.optional);
  while (!reader.AtEnd()) {
    const uint8_t field = reader.U8();
    const std::string_view value = reader.LengthEncodedBytes();
    if (!reader.ok()) break;
    if (field == kSetLabels) ReadLabels(value, kinds.sets, details);
    if (field == kEnumLabels) ReadLabels(value, kinds.enums, details);
    if (field == kDefaultLabelCharset) ReadDefaultCharset(value, kinds.labelled, details);
    if (field == kLabelCharset) ReadCharsets(value, kinds.labelled, details);
    if (!kinds.text_is_clear) continue;
    if (field == kDefaultCharset) ReadDefaultCharset(value, kinds.text, details);
    if (field == kColumnCharset) ReadCharsets(value, kinds.text, details);
  }
  return details;
}

}  // namespace penstock::binlog
