#include "mysql/binlog/row_image.h"

#include "base/check.h"
#include "mysql/binlog/decimal.h"
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

}  // namespace

Result<RowImageDecoder> RowImageDecoder::Make(const model::Table& table, const TableMap& map) {
  const auto in_table = [&table] { return fmt::format("table {}", table.name.ToString()); };
  if (table.columns.size() != map.types.size()) {
    return Fail(ErrorCode::kConflict, "{} has {} columns in its definition, but {} in the log",
                in_table(), table.columns.size(), map.types.size());
  }
  RowImageDecoder decoder;
  decoder.table_ = table.name;
  decoder.columns_.reserve(table.columns.size());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const model::Column& column = table.columns[i];
    if (!map.names.empty() && map.names[i] != column.name) {
      return Fail(ErrorCode::kConflict, "{}: column `{}` is called `{}` in the log", in_table(),
                  column.name, map.names[i]);
    }
    LoggedColumn logged;
    logged.type = static_cast<uint8_t>(map.types[i]);
    logged.metadata = map.metadata[i];
    if (map.is_unsigned) logged.is_unsigned = (*map.is_unsigned)[i];
    const auto plan = PlanColumn(column, logged);
    if (!plan) return tl::unexpected(plan.error().In(in_table()));
    decoder.columns_.push_back(*plan);
    decoder.names_.push_back(column.name);
  }
  return decoder;
}

// The image: a bitmap of NULLs with a bit per present column, then the present cells that are not
// NULL.
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html
Status RowImageDecoder::Decode(ByteReader& reader, std::string_view present, std::span<Value> row) {
  const size_t count = columns_.size();
  PENSTOCK_CHECK(row.size() >= count);
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
    if (!all && !BitAt(present, i)) {
      row[i] = Value::Absent();
      continue;
    }
    if (BitAt(nulls, cell++)) {
      row[i] = Value::Null();
      continue;
    }
    row[i] = DecodeCell(columns_[i], reader);
    if (!reader.ok()) [[unlikely]]
      return Malformed(i);
  }
  return {};
}

Value RowImageDecoder::DecodeCell(const ColumnPlan& plan, ByteReader& reader) {
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
      return DecodeJson(plan, reader);
    case Codec::kDate:
      return ReadDate(reader);
    case Codec::kYear:
      return ReadYear(reader);
    case Codec::kDateTime2:
      return ReadDateTime2(reader, plan.scale);
    case Codec::kTimestamp2:
      return ReadTimestamp2(reader, plan.scale);
    case Codec::kTime2:
      return ReadTime2(reader, plan.scale);
    case Codec::kOldDateTime:
      return ReadOldDateTime(reader);
    case Codec::kOldTimestamp:
      return ReadOldTimestamp(reader);
    case Codec::kOldTime:
      return ReadOldTime(reader);
    case Codec::kSkipFixed:
      reader.Skip(plan.length);
      return Value::Null();
    case Codec::kSkipCounted:
      ReadCounted(reader, plan.width);
      return Value::Null();
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

Value RowImageDecoder::DecodeJson(const ColumnPlan& plan, ByteReader& reader) {
  const std::string_view document = ReadCounted(reader, plan.width);
  std::string& text = Scratch();
  if (!AppendJsonText(document, text)) reader.Fail();
  return Value::Bytes(text);
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
