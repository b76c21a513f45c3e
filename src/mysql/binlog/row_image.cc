#include "mysql/binlog/row_image.h"

#include "base/check.h"
#include "mysql/binlog/decimal.h"
#include "mysql/binlog/event_type.h"
#include "mysql/binlog/json_binary.h"
#include "mysql/binlog/temporal.h"

namespace penstock::binlog {
namespace {

using model::Value;

bool BitAt(std::string_view bitmap, size_t index) {
  return (static_cast<uint8_t>(bitmap[index / 8]) >> (index % 8) & 1) != 0;
}

int64_t SignExtend24(uint32_t value) {
  constexpr uint32_t kSign = 1U << 23;
  return static_cast<int64_t>(value ^ kSign) - kSign;
}

std::string_view ReadCounted(ByteReader& reader, uint8_t width) {
  switch (width) {
    case 1:
      return reader.Bytes(reader.U8());
    case 2:
      return reader.Bytes(reader.U16());
    case 3:
      return reader.Bytes(reader.U24());
    default:
      return reader.Bytes(reader.U32());
  }
}

// The ends of rows that have not ended: the last moment of a TIMESTAMP, up to MariaDB 11.4 and
// since.
constexpr int64_t kCurrent32 = 2'147'483'647'999'999;
constexpr int64_t kCurrent = 4'294'967'295'999'999;

// Whether a column is one of the two times of a system-versioned table.
bool IsRowTime(const TableMap& map, size_t column) {
  return static_cast<uint8_t>(map.types[column]) == kTimestamp2Column && map.metadata[column] == 6;
}

// Whether a column is MariaDB's hash of a long unique key.
bool IsHash(const TableMap& map, size_t column) {
  if (static_cast<uint8_t>(map.types[column]) != kLongLongColumn) return false;
  return map.names.empty() || map.names[column].starts_with("DB_ROW_HASH_");
}

Value SkipCell(const ColumnPlan& plan, ByteReader& reader) {
  if (plan.codec == Codec::kSkipFixed) {
    reader.Skip(plan.length);
  } else {
    ReadCounted(reader, plan.width);
  }
  return Value::Null();
}

}  // namespace

Result<RowImageDecoder> RowImageDecoder::Make(const model::Table& table, const TableMap& map) {
  const auto in_table = [&table] { return fmt::format("table {}", table.name.ToString()); };
  if (table.columns.size() + table.hidden_columns != map.types.size()) {
    return Fail(ErrorCode::kConflict, "{} has {} columns in its definition, but {} in the log",
                in_table(), table.columns.size() + table.hidden_columns, map.types.size());
  }
  RowImageDecoder decoder;
  decoder.table_ = table.name;
  decoder.visible_ = table.columns.size();
  decoder.row_end_ = table.row_end;
  decoder.columns_.reserve(map.types.size());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const model::Column& column = table.columns[i];
    if (!map.names.empty() && map.names[i] != column.name) {
      return Fail(ErrorCode::kConflict, "{}: column `{}` is called `{}` in the log", in_table(),
                  column.name, map.names[i]);
    }
    LoggedColumn logged;
    logged.type = static_cast<uint8_t>(map.types[i]);
    logged.metadata = map.metadata[i];
    if (!map.is_unsigned.empty()) logged.is_unsigned = map.is_unsigned[i] != 0;
    const auto plan = PlanColumn(column, logged);
    if (!plan) return tl::unexpected(plan.error().In(in_table()));
    decoder.json_numbers_.push_back(decoder.documents_.size());
    if (plan->codec == Codec::kJson) decoder.documents_.emplace_back();
    decoder.columns_.push_back(*plan);
    decoder.names_.push_back(column.name);
  }
  PENSTOCK_TRY(decoder.AddHidden(table, map));
  return decoder;
}

// First the two times of the row, where they are not declared.
Status RowImageDecoder::AddHidden(const model::Table& table, const TableMap& map) {
  const size_t times = table.row_end && *table.row_end >= visible_ ? 2 : 0;
  for (size_t i = visible_; i < map.types.size(); ++i) {
    const bool is_time = i < visible_ + times;
    if (is_time ? !IsRowTime(map, i) : !IsHash(map, i)) {
      return Fail(ErrorCode::kConflict,
                  "table {} has a column in the log that its definition has not",
                  table_.ToString());
    }
    columns_.push_back(is_time ? ColumnPlan{.codec = Codec::kTimestamp2, .scale = 6}
                               : ColumnPlan{.codec = Codec::kInt64});
    names_.emplace_back(is_time ? "row time" : "DB_ROW_HASH");
    hidden_.emplace_back();
  }
  return {};
}

Result<bool> RowImageDecoder::IsCurrent(model::Row row) const {
  if (!row_end_) [[likely]]
    return true;
  const Value& end = *row_end_ < visible_ ? row[*row_end_] : hidden_[*row_end_ - visible_];
  if (end.kind == model::ValueKind::kAbsent) {
    return Fail({.code = ErrorCode::kNeedsUser,
                 .message = fmt::format("a change of the system-versioned table {} was logged "
                                        "without the end of its row",
                                        table_.ToString()),
                 .origin = "source",
                 .remedy = "Set binlog_row_image to FULL in every session of the source; then "
                           "resync the table"});
  }
  return end.kind == model::ValueKind::kInstant && (end.i == kCurrent || end.i == kCurrent32);
}

Status RowImageDecoder::Decode(ByteReader& reader, std::string_view present, std::span<Value> row) {
  return DecodeImage(reader, present, std::nullopt, row);
}

Status RowImageDecoder::DecodeImage(ByteReader& reader, std::string_view present,
                                    std::optional<model::Row> before, std::span<Value> row) {
  return DecodeCells(reader, present, before, row,
                     [&](size_t column) { return DecodeCell(column, reader); });
}

// Before the image proper, "PARTIAL_UPDATE_ROWS_EVENT" has options and, with the one there is, a
// bit for each JSON column of the table: whether it holds differences.
Status RowImageDecoder::DecodeAfter(ByteReader& reader, const Rows& rows, model::Row before,
                                    std::span<Value> row) {
  constexpr uint64_t kPartialJson = 1;
  if (!rows.partial_json) return DecodeImage(reader, rows.present_after, before, row);
  const uint64_t options = reader.LengthEncoded();
  if (!reader.ok() || options > kPartialJson) {
    return Fail(ErrorCode::kBadData, "row image of table {} has unknown options",
                table_.ToString());
  }
  if (options == 0) return DecodeImage(reader, rows.present_after, before, row);
  const std::string_view partial = reader.Bytes((documents_.size() + 7) / 8);
  if (!reader.ok()) return Malformed(0);
  Status patched;
  const Status decoded = DecodeCells(reader, rows.present_after, before, row, [&](size_t column) {
    const bool is_json = columns_[column].codec == Codec::kJson;
    if (!is_json || !BitAt(partial, json_numbers_[column])) return DecodeCell(column, reader);
    return PatchJson(column, before[column], reader, patched);
  });
  return patched ? decoded : patched;
}

// The image: a bitmap of NULLs with a bit per present column, then the present cells that are not
// NULL.
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html
template <typename DecodeOne>
Status RowImageDecoder::DecodeCells(ByteReader& reader, std::string_view present,
                                    std::optional<model::Row> before, std::span<Value> row,
                                    const DecodeOne& decode_one) {
  const size_t count = columns_.size();
  PENSTOCK_CHECK(row.size() >= visible_);
  if (present.size() != (count + 7) / 8) {
    return Fail(ErrorCode::kBadData, "row image of table {} is of another number of columns",
                table_.ToString());
  }
  const bool all = AllPresent(present);
  size_t present_count = count;
  if (!all) {
    present_count = 0;
    for (size_t i = 0; i < count; ++i) present_count += BitAt(present, i) ? 1 : 0;
  }
  const std::string_view nulls = reader.Bytes((present_count + 7) / 8);
  if (!reader.ok()) return Malformed(0);
  size_t cell = 0;
  for (size_t i = 0; i < count; ++i) {
    Value& value = i < visible_ ? row[i] : hidden_[i - visible_];
    if (!all && !BitAt(present, i)) {
      if (!before) {
        value = Value::Absent();
      } else if (i < visible_) {  // a hidden one still is as it was
        value = (*before)[i];
      }
      continue;
    }
    if (BitAt(nulls, cell++)) {
      value = Value::Null();
      continue;
    }
    new (&value) Value(decode_one(i));  // in place: a copy of what was just written stalls
    if (!reader.ok()) [[unlikely]]
      return Malformed(i);
  }
  return {};
}

Value RowImageDecoder::DecodeCell(size_t column, ByteReader& reader) {
  const ColumnPlan& plan = columns_[column];
  switch (plan.codec) {
    case Codec::kInt8:
      return Value::Int(static_cast<int8_t>(reader.U8()));
    case Codec::kInt16:
      return Value::Int(static_cast<int16_t>(reader.U16()));
    case Codec::kInt24:
      return Value::Int(SignExtend24(reader.U24()));
    case Codec::kInt32:
      return Value::Int(static_cast<int32_t>(reader.U32()));
    case Codec::kInt64:
      return Value::Int(static_cast<int64_t>(reader.U64()));
    case Codec::kUint8:
      return Value::Uint(reader.U8());
    case Codec::kUint16:
      return Value::Uint(reader.U16());
    case Codec::kUint24:
      return Value::Uint(reader.U24());
    case Codec::kUint32:
      return Value::Uint(reader.U32());
    case Codec::kUint64:
      return Value::Uint(reader.U64());
    case Codec::kLabels:
      return Value::Uint(plan.width == 1 ? reader.U8() : reader.Little(plan.width));
    case Codec::kBit:
      return Value::Uint(reader.Big(plan.width));
    case Codec::kFloat:
      return Value::Float(reader.Raw<float>());
    case Codec::kDouble:
      return Value::Double(reader.Raw<double>());
    case Codec::kDecimal:
      return Value::Decimal(ReadDecimal(reader, {plan.precision, plan.scale}));
    case Codec::kDecimalText: {
      std::string& text = Scratch();
      AppendDecimalText(reader, {plan.precision, plan.scale}, text);
      return Value::DecimalText(text);
    }
    case Codec::kBytes:
      return Value::Bytes(ReadCounted(reader, plan.width));
    case Codec::kBinary:
      return DecodeBinary(plan, reader);
    case Codec::kJson:
      return DecodeJson(column, reader);
    case Codec::kCompressed:
      return DecodeCompressed(plan, reader);
    case Codec::kDate:
      return ReadDate(reader);
    case Codec::kYear:
      return ReadYear(reader);
    case Codec::kShortYear:
      return Value::Uint(ReadYear(reader).u % 100);
    case Codec::kDateTime2:
      return ReadDateTime2(reader, plan.scale);
    case Codec::kTimestamp2:
      return ReadTimestamp2(reader, plan.scale);
    case Codec::kTime2:
      return ReadTime2(reader, plan.scale);
    case Codec::kOldDateTime:
      return ReadOldDateTime(reader, plan.scale);
    case Codec::kOldTimestamp:
      return ReadOldTimestamp(reader, plan.scale);
    case Codec::kOldTime:
      return ReadOldTime(reader, plan.scale);
    case Codec::kSkipFixed:
    case Codec::kSkipCounted:
      return SkipCell(plan, reader);
  }
  return Value::Null();
}

// The log leaves the zeros at the end of a BINARY out; a SELECT has them.
Value RowImageDecoder::DecodeBinary(const ColumnPlan& plan, ByteReader& reader) {
  const std::string_view bytes = ReadCounted(reader, plan.width);
  if (bytes.size() == plan.length) return Value::Bytes(bytes);
  if (bytes.size() > plan.length) {
    reader.Fail();
    return Value::Null();
  }
  std::string& padded = Scratch();
  padded.append(bytes).resize(plan.length, '\0');
  return Value::Bytes(padded);
}

Value RowImageDecoder::DecodeCompressed(const ColumnPlan& plan, ByteReader& reader) {
  const std::string_view stored = ReadCounted(reader, plan.width);
  std::string& value = Scratch();
  if (!inflater_.Append(stored, plan.length, value)) reader.Fail();
  return Value::Bytes(value);
}

Value RowImageDecoder::DecodeJson(size_t column, ByteReader& reader) {
  const std::string_view document = ReadCounted(reader, columns_[column].width);
  documents_[json_numbers_[column]] = document;
  std::string& text = Scratch();
  if (!AppendJsonText(document, text)) reader.Fail();
  return Value::Bytes(text);
}

// No differences at all: the document is as it was.
Value RowImageDecoder::PatchJson(size_t column, const Value& before, ByteReader& reader,
                                 Status& status) {
  const std::string_view differences = ReadCounted(reader, columns_[column].width);
  if (!reader.ok()) return Value::Null();
  if (before.kind == model::ValueKind::kBytes) {
    if (differences.empty()) return before;
    std::string& text = Scratch();
    status = patcher_.AppendText(documents_[json_numbers_[column]], differences, text);
    if (status) return Value::Bytes(text);
    status = Fail(
        status.error().In(fmt::format("table {}, column `{}`", table_.ToString(), names_[column])));
  } else if (before.kind == model::ValueKind::kAbsent) {
    status = MissingBefore(column);
  } else {
    status = Malformed(column);
  }
  reader.Fail();
  return Value::Null();
}

Failure RowImageDecoder::MissingBefore(size_t column) const {
  return Fail(
      {.code = ErrorCode::kNeedsUser,
       .message = fmt::format("{} has differences of its JSON column `{}` in the log, without the "
                              "document they apply to",
                              table_.ToString(), names_[column]),
       .origin = "source",
       .remedy = "Set binlog_row_image to FULL, or binlog_row_value_options to '', in every "
                 "session of the source; then resync the table"});
}

bool RowImageDecoder::AllPresent(std::string_view present) const {
  const size_t whole = columns_.size() / 8;
  for (size_t i = 0; i < whole; ++i) {
    if (static_cast<uint8_t>(present[i]) != 0xff) return false;
  }
  const unsigned last = (1U << (columns_.size() % 8)) - 1;
  return last == 0 || (static_cast<uint8_t>(present[whole]) & last) == last;
}

std::string& RowImageDecoder::Scratch() {
  if (scratch_used_ == scratch_.size()) scratch_.emplace_back();
  std::string& text = scratch_[scratch_used_++];
  text.clear();
  return text;
}

Failure RowImageDecoder::Malformed(size_t column) const {
  return Fail(ErrorCode::kBadData, "row image of table {} is malformed at column `{}`",
              table_.ToString(), names_.empty() ? "" : names_[column]);
}

}  // namespace penstock::binlog
