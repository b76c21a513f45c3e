#include <algorithm>

#include "typemap/codecs.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

using clickhouse::Buffer;
using clickhouse::ColumnData;
using model::SqlType;
using model::Value;
using model::ValueKind;

// What is the same for every cell of a column.
struct Rules {
  bool source_nullable = false;
  bool nullable = false;  // of the destination
  bool in_key = false;
  std::string native_type;
};

std::string Describe(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
      return "NULL";
    case ValueKind::kAbsent:
      return "nothing";
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kInstant:
    case ValueKind::kTime:
      return fmt::format("{}", value.i);
    case ValueKind::kUint:
      return fmt::format("{}", value.u);
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      return fmt::format("{}", value.d);
    case ValueKind::kCivil:
      return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", value.civil.year,
                         value.civil.month, value.civil.day, value.civil.hour, value.civil.minute,
                         value.civil.second, value.civil.microsecond);
    case ValueKind::kDecimalText:
    case ValueKind::kBytes:
      return fmt::format("{} bytes", value.bytes.size());
  }
  return "";
}

Failure Wrong(const Value& value, const Rules& rules, std::string_view column) {
  if (value.kind == ValueKind::kAbsent) {
    return Fail({.code = ErrorCode::kBadData,
                 .message = fmt::format("the row holds no value of column {}", column),
                 .origin = "source",
                 .native_code = 0,
                 .remedy = "Set binlog_row_image=FULL on the source and resync the table"});
  }
  return Fail(
      {.code = ErrorCode::kBadData,
       .message = fmt::format("column {} holds {}, which is no value of its type ({} here)", column,
                              Describe(value), rules.native_type),
       .origin = "source",
       .native_code = 0,
       .remedy = "Resync the table: its definition is not the one the row was written with"});
}

Failure RefusedInKey(const Value& value, const Rules& rules, std::string_view column) {
  return Fail({.code = ErrorCode::kBadData,
               .message = fmt::format("key column {} holds {}, which {} cannot hold: two rows "
                                      "could become one",
                                      column, Describe(value), rules.native_type),
               .origin = "source",
               .native_code = 0,
               .remedy = "Correct the row at the source, or map the column to String"});
}

// The common part of every writer; the codec is a member, so a cell costs one virtual call.
template <typename Codec>
class Writer final : public ColumnWriter {
 public:
  Writer(Codec codec, Rules rules) : codec_(std::move(codec)), rules_(std::move(rules)) {}

  Status Append(const Value& value, ColumnData& out) override {
    if (value.is_null()) return AppendNull(value, out);
    const size_t size = out.values.size();
    const Fit fit = codec_.Write(value, out.values);
    if (fit != Fit::kExact) [[unlikely]]
      return Settle(fit, size, value, out);
    EndCell(false, out);
    return {};
  }

 private:
  void EndCell(bool is_null, ColumnData& out) {
    if (rules_.nullable) out.nulls.Append(static_cast<uint8_t>(is_null));
    if constexpr (requires { Codec::kElementBytes; }) {
      out.ends.Append(uint64_t{out.values.size() / Codec::kElementBytes});
    }
  }

  void AppendDefault(bool is_null, ColumnData& out) {
    out.values.AppendZeros(Codec::kDefaultBytes);
    EndCell(is_null, out);
  }

  Status AppendNull(const Value& value, ColumnData& out) {
    if (!rules_.source_nullable) [[unlikely]]
      return Wrong(value, rules_, out.name);
    AppendDefault(true, out);
    return {};
  }

  // `size`: of the values before the codec wrote.
  Status Settle(Fit fit, size_t size, const Value& value, ColumnData& out) {
    if (fit == Fit::kWrong) return Wrong(value, rules_, out.name);
    if (rules_.in_key) {
      out.values.Truncate(size);
      return RefusedInKey(value, rules_, out.name);
    }
    if (fit == Fit::kClamped) {
      EndCell(false, out);
      ++changes_[Change::kClamped];
      return {};
    }
    AppendDefault(true, out);
    ++changes_[rules_.nullable ? Change::kNulled : Change::kReplaced];
    return {};
  }

  const Codec codec_;
  const Rules rules_;
};

int64_t PowerOfTen(uint32_t exponent) {
  int64_t power = 1;
  for (uint32_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

EnumCodec MakeEnumCodec(const model::Column& column, bool in_key) {
  EnumCodec codec{.encoded = {std::string(1, '\0')}, .zero_is_ambiguous = false};
  for (const std::string& label : column.labels) {
    Buffer encoded;
    encoded.AppendVarint(label.size());
    encoded.Append(std::string_view(label));
    codec.encoded.emplace_back(encoded.view());
    if (label.empty() && in_key) codec.zero_is_ambiguous = true;
  }
  return codec;
}

SetCodec MakeSetCodec(const model::Column& column, bool in_key) {
  SetCodec codec{.labels = column.labels, .ambiguous = 0};
  const auto empty = std::ranges::find(column.labels, "");
  if (in_key && empty != column.labels.end()) {
    codec.ambiguous = uint64_t{1} << (empty - column.labels.begin());
  }
  return codec;
}

template <typename Codec>
std::unique_ptr<ColumnWriter> Make(Codec codec, Rules rules) {
  return std::make_unique<Writer<Codec>>(std::move(codec), std::move(rules));
}

template <typename Signed, typename Unsigned>
std::unique_ptr<ColumnWriter> MakeInteger(const model::Column& column, Rules rules) {
  if (column.is_unsigned) return Make(IntCodec<Unsigned>{}, std::move(rules));
  return Make(IntCodec<Signed>{}, std::move(rules));
}

std::unique_ptr<ColumnWriter> MakeDecimal(const model::Column& column, Rules rules) {
  const uint32_t precision = column.precision;
  if (precision <= 18) {
    const int64_t largest = PowerOfTen(precision) - 1;
    if (precision <= 9) return Make(DecimalCodec<int32_t>{largest}, std::move(rules));
    return Make(DecimalCodec<int64_t>{largest}, std::move(rules));
  }
  if (precision <= 38) return Make(WideDecimalCodec<2>{precision, column.scale}, std::move(rules));
  return Make(WideDecimalCodec<4>{precision, column.scale}, std::move(rules));
}

// `column` has been mapped, so its parameters are in range.
std::unique_ptr<ColumnWriter> MakeFor(const model::Column& column, Rules rules) {
  const Ticks ticks{PowerOfTen(6 - std::min(column.scale, 6U))};
  switch (column.type) {
    case SqlType::kTinyInt:
      return MakeInteger<int8_t, uint8_t>(column, std::move(rules));
    case SqlType::kSmallInt:
      return MakeInteger<int16_t, uint16_t>(column, std::move(rules));
    case SqlType::kMediumInt:
    case SqlType::kInt:
      return MakeInteger<int32_t, uint32_t>(column, std::move(rules));
    case SqlType::kBigInt:
      return MakeInteger<int64_t, uint64_t>(column, std::move(rules));
    case SqlType::kDecimal:
      return MakeDecimal(column, std::move(rules));
    case SqlType::kFloat:
      return Make(FloatCodec<float, ValueKind::kFloat>{}, std::move(rules));
    case SqlType::kDouble:
      return Make(FloatCodec<double, ValueKind::kDouble>{}, std::move(rules));
    case SqlType::kBit:
      return Make(IntCodec<uint64_t>{}, std::move(rules));
    case SqlType::kYear:
      return Make(IntCodec<uint16_t>{}, std::move(rules));
    case SqlType::kDate:
      return Make(DateCodec{}, std::move(rules));
    case SqlType::kDateTime:
      return Make(DateTimeCodec{ticks}, std::move(rules));
    case SqlType::kTimestamp:
      return Make(TimestampCodec{ticks}, std::move(rules));
    case SqlType::kTime:
      return Make(TimeCodec{ticks}, std::move(rules));
    case SqlType::kEnum: {
      const bool in_key = rules.in_key;
      return Make(MakeEnumCodec(column, in_key), std::move(rules));
    }
    case SqlType::kSet: {
      const bool in_key = rules.in_key;
      return Make(MakeSetCodec(column, in_key), std::move(rules));
    }
    case SqlType::kGeometry:
      return Make(GeometryCodec{}, std::move(rules));
    case SqlType::kVector:
      return Make(VectorCodec{column.length}, std::move(rules));
    case SqlType::kUuid:
      return Make(UuidCodec{}, std::move(rules));
    case SqlType::kInet4:
      return Make(Inet4Codec{}, std::move(rules));
    case SqlType::kInet6:
      return Make(Inet6Codec{}, std::move(rules));
    case SqlType::kChar:
    case SqlType::kVarChar:
    case SqlType::kText:
    case SqlType::kBinary:
    case SqlType::kVarBinary:
    case SqlType::kBlob:
    case SqlType::kJson:
    case SqlType::kUnsupported:  // refused by the mapping
      break;
  }
  return Make(BytesCodec{}, std::move(rules));
}

}  // namespace

Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const model::Column& column,
                                                       const TypeOptions& options, bool in_key) {
  PENSTOCK_ASSIGN(ColumnMapping mapping, MapColumn(column, options, in_key));
  Rules rules{.source_nullable = column.nullable,
              .nullable = mapping.nullable,
              .in_key = in_key,
              .native_type = std::move(mapping.native_type)};
  if (MapsToBool(column, options)) return Make(BoolCodec{}, std::move(rules));
  return MakeFor(column, std::move(rules));
}

}  // namespace penstock::typemap
