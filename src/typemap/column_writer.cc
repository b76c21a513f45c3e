#include <algorithm>

#include "base/hex.h"
#include "typemap/chosen_codecs.h"
#include "typemap/chosen_type.h"
#include "typemap/codecs.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

using clickhouse::Buffer;
using clickhouse::ColumnData;
using model::Change;
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
      return fmt::format("{} bytes", value.bytes.size());
    case ValueKind::kBytes: {
      constexpr size_t kShown = 32;
      const std::string_view shown = value.bytes.substr(0, kShown);
      return fmt::format("{} bytes, X'{}'{}", value.bytes.size(), Hex(shown),
                         shown.size() < value.bytes.size() ? "..." : "");
    }
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
  if (value.kind == ValueKind::kBytes) {
    return Fail(
        {.code = ErrorCode::kBadData,
         .message = fmt::format("key column {} holds text ({}) that is no text of its own in "
                                "UTF-8: two rows could become one",
                                column, Describe(value)),
         .origin = "source",
         .native_code = 0,
         .remedy = "Correct the row at the source, or convert the column to utf8mb4 there"});
  }
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

  void AppendNothing(ColumnData& out) override { AppendDefault(true, out); }

  std::optional<PlainInteger> plain_integer() const override {
    if constexpr (requires { Codec::kPlainInteger; }) {
      return PlainInteger{
          .kind = Codec::kPlainInteger, .bytes = Codec::kDefaultBytes, .nullable = rules_.nullable};
    }
    return std::nullopt;
  }

 private:
  void EndCell(bool is_null, ColumnData& out) {
    if (rules_.nullable) out.nulls.Append(static_cast<uint8_t>(is_null));
    if constexpr (requires { Codec::kElementBytes; }) {
      out.ends.Append(uint64_t{out.values.size() / Codec::kElementBytes});
    }
  }

  void AppendDefault(bool is_null, ColumnData& out) {
    if constexpr (requires { codec_.default_value(); }) {
      out.values.Append(codec_.default_value());
    } else if constexpr (requires { codec_.default_bytes(); }) {
      out.values.AppendZeros(codec_.default_bytes());
    } else {
      out.values.AppendZeros(Codec::kDefaultBytes);
    }
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
    if (fit == Fit::kClamped || fit == Fit::kReplaced) {
      EndCell(false, out);
      ++changes_[fit == Fit::kClamped ? Change::kClamped : Change::kReplaced];
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

std::unique_ptr<ColumnWriter> MakeText(const model::Column& column, Rules rules) {
  if (IsSentAsIs(column.charset)) return Make(BytesCodec{}, std::move(rules));
  const bool in_key = rules.in_key;
  return Make(TextCodec{CharsetConverter::Find(column.charset), in_key}, std::move(rules));
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
      return MakeText(column, std::move(rules));
    case SqlType::kBinary:
    case SqlType::kVarBinary:
    case SqlType::kBlob:
    case SqlType::kJson:
    case SqlType::kUnsupported:  // refused by the mapping
      break;
  }
  return Make(BytesCodec{}, std::move(rules));
}

std::unique_ptr<ColumnWriter> MakeWidenedInteger(const ChosenType& type, Rules rules) {
  const bool is_signed = type.kind == ChosenType::Kind::kInt;
  switch (type.bits) {
    case 8:
      return is_signed ? Make(WidenedIntCodec<int8_t>{}, std::move(rules))
                       : Make(WidenedIntCodec<uint8_t>{}, std::move(rules));
    case 16:
      return is_signed ? Make(WidenedIntCodec<int16_t>{}, std::move(rules))
                       : Make(WidenedIntCodec<uint16_t>{}, std::move(rules));
    case 32:
      return is_signed ? Make(WidenedIntCodec<int32_t>{}, std::move(rules))
                       : Make(WidenedIntCodec<uint32_t>{}, std::move(rules));
    default:
      return is_signed ? Make(WidenedIntCodec<int64_t>{}, std::move(rules))
                       : Make(WidenedIntCodec<uint64_t>{}, std::move(rules));
  }
}

size_t DecimalBytes(uint32_t precision) {
  if (precision <= 9) return 4;
  if (precision <= 18) return 8;
  return precision <= 38 ? 16 : 32;
}

bool IsPrinted(const model::Column& column) {
  return column.type <= SqlType::kBigInt || column.type == SqlType::kDecimal ||
         column.type == SqlType::kBit ||
         (column.type >= SqlType::kDate && column.type <= SqlType::kYear);
}

std::unique_ptr<ColumnWriter> MakeMoment(const model::Column& column, Ticks ticks, Rules rules) {
  if (column.type == SqlType::kTimestamp) return Make(TimestampCodec{ticks}, std::move(rules));
  return Make(DateTimeCodec{ticks}, std::move(rules));
}

std::unique_ptr<ColumnWriter> MakeChosen(const model::Column& column, const ChosenType& type,
                                         Rules rules) {
  using Kind = ChosenType::Kind;
  switch (type.kind) {
    case Kind::kString:
      if (!IsPrinted(column)) return MakeFor(column, std::move(rules));
      return Make(PrintedCodec{column.type, column.scale}, std::move(rules));
    case Kind::kFixedString:
      return Make(FixedBytesCodec{type.length}, std::move(rules));
    case Kind::kInt:
    case Kind::kUint:
      return MakeWidenedInteger(type, std::move(rules));
    case Kind::kFloat64:
      return Make(WidenedFloatCodec{}, std::move(rules));
    case Kind::kDecimal:
      return Make(WidenedDecimalCodec{.scale = column.scale,
                                      .precision = type.precision,
                                      .target_scale = type.scale,
                                      .bytes = DecimalBytes(type.precision)},
                  std::move(rules));
    case Kind::kBool:
      return Make(BoolCodec{}, std::move(rules));
    case Kind::kDate:
      return Make(ShortDateCodec{}, std::move(rules));
    case Kind::kDate32:
      return Make(DateCodec{}, std::move(rules));
    case Kind::kDateTime:
      return Make(ShortDateTimeCodec{}, std::move(rules));
    case Kind::kDateTime64:
      return MakeMoment(column, Ticks{PowerOfTen(6 - type.scale)}, std::move(rules));
    case Kind::kEnum8:
      return Make(EnumIndexCodec<int8_t>{column.labels.size()}, std::move(rules));
    case Kind::kEnum16:
      return Make(EnumIndexCodec<int16_t>{column.labels.size()}, std::move(rules));
    case Kind::kJson:
      return Make(JsonObjectCodec{}, std::move(rules));
    case Kind::kWkb:
      return Make(BytesCodec{}, std::move(rules));
  }
  return MakeFor(column, std::move(rules));
}

}  // namespace

Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const model::Column& column,
                                                       const TypeOptions& options, bool in_key) {
  PENSTOCK_ASSIGN(ColumnMapping mapping, MapColumn(column, options, in_key));
  Rules rules{.source_nullable = column.nullable,
              .nullable = mapping.nullable,
              .in_key = in_key,
              .native_type = std::move(mapping.native_type)};
  if (!options.target_type.empty()) {
    PENSTOCK_ASSIGN(const ChosenType type, ChooseType(column, options.target_type));
    return MakeChosen(column, type, std::move(rules));
  }
  if (MapsToBool(column, options)) return Make(BoolCodec{}, std::move(rules));
  return MakeFor(column, std::move(rules));
}

}  // namespace penstock::typemap
