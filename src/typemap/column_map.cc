#include "typemap/column_map.h"

#include <algorithm>
#include <array>

#include "typemap/charset.h"
#include "typemap/chosen_type.h"

namespace penstock::typemap {
namespace {

using model::SqlType;

Failure Refuse(const model::Column& column, std::string_view reason, std::string_view remedy) {
  return Fail({.code = ErrorCode::kInvalidArgument,
               .message = fmt::format("column {} {}", column.name, reason),
               .origin = "source",
               .native_code = 0,
               .remedy = std::string(remedy)});
}

std::string IntegerType(const model::Column& column, int bits) {
  return fmt::format("{}Int{}", column.is_unsigned ? "U" : "", bits);
}

Result<std::string> TextType(const model::Column& column) {
  if (IsSentAsIs(column.charset) || HasConverter(column.charset)) return "String";
  return Refuse(
      column, fmt::format("has character set {}, which this version does not know", column.charset),
      "Exclude the column, or convert it to utf8mb4 at the source");
}

Result<std::string> FractionType(const model::Column& column, std::string_view name,
                                 std::string_view zone) {
  if (column.scale > 6) {
    return Refuse(column, fmt::format("has {} fraction digits, at most 6 exist", column.scale), "");
  }
  return fmt::format("{}({}{})", name, column.scale, zone);
}

Result<std::string> DecimalType(const model::Column& column) {
  if (column.precision < 1 || column.precision > 65 || column.scale > column.precision) {
    return Refuse(column, fmt::format("has the impossible type {}", column.type_text), "");
  }
  return fmt::format("Decimal({}, {})", column.precision, column.scale);
}

// ClickHouse has no Nullable(Array).
bool IsArray(SqlType type) { return type == SqlType::kVector; }

// Without Nullable and LowCardinality.
Result<std::string> NativeType(const model::Column& column, const TypeOptions& options) {
  switch (column.type) {
    case SqlType::kTinyInt:
      return MapsToBool(column, options) ? "Bool" : IntegerType(column, 8);
    case SqlType::kSmallInt:
      return IntegerType(column, 16);
    case SqlType::kMediumInt:
    case SqlType::kInt:
      return IntegerType(column, 32);
    case SqlType::kBigInt:
      return IntegerType(column, 64);
    case SqlType::kDecimal:
      return DecimalType(column);
    case SqlType::kFloat:
      return "Float32";
    case SqlType::kDouble:
      return "Float64";
    case SqlType::kBit:
      return MapsToBool(column, options) ? "Bool" : "UInt64";
    case SqlType::kChar:
    case SqlType::kVarChar:
    case SqlType::kText:
      return TextType(column);
    case SqlType::kBinary:
    case SqlType::kVarBinary:
    case SqlType::kBlob:
    case SqlType::kEnum:
    case SqlType::kSet:
    case SqlType::kJson:
      return "String";
    case SqlType::kDate:
      return "Date32";
    case SqlType::kDateTime:
    case SqlType::kTimestamp:
      return FractionType(column, "DateTime64", ", 'UTC'");
    case SqlType::kTime:
      return FractionType(column, "Time64", "");
    case SqlType::kYear:
      return "UInt16";
    case SqlType::kGeometry:
      return "String";
    case SqlType::kVector:
      return "Array(Float32)";
    case SqlType::kUuid:
      return "UUID";
    case SqlType::kInet4:
      return "IPv4";
    case SqlType::kInet6:
      return "IPv6";
    case SqlType::kUnsupported:
      break;
  }
  return Refuse(column,
                fmt::format("has type {}, which this version does not support", column.type_text),
                "Exclude the column from the mapping");
}

constexpr std::string_view kZeroDates =
    "zero, partial and impossible dates become NULL, or 1970-01-01 where NULL is not allowed";

std::string ClampedDates(std::string_view first, std::string_view last) {
  return fmt::format("{}; others are clamped to {} ... {}", kZeroDates, first, last);
}

std::string ChosenRangeRule(const model::Column& column, const ChosenType& type) {
  using Kind = ChosenType::Kind;
  switch (type.kind) {
    case Kind::kBool:
      return column.type == SqlType::kTinyInt ? "numbers other than 0 and 1 become true" : "";
    case Kind::kDate:
      return ClampedDates("1970-01-01", "2149-06-06");
    case Kind::kDateTime:
      return ClampedDates("1970-01-01 00:00:00", "2106-02-07 06:28:15");
    case Kind::kDate32:
    case Kind::kDateTime64:
      return RangeRule(column, {});
    case Kind::kJson:
      return "documents that are no object become NULL, or {} where NULL is not allowed";
    default:
      return "";
  }
}

}  // namespace

std::string RangeRule(const model::Column& column, const TypeOptions& options) {
  if (!options.target_type.empty()) {
    const auto chosen = ChooseType(column, options.target_type);
    return chosen ? ChosenRangeRule(column, *chosen) : "";
  }
  if (MapsToBool(column, options) && column.type == SqlType::kTinyInt) {
    return "numbers other than 0 and 1 become true";
  }
  switch (column.type) {
    case SqlType::kDate:
      return ClampedDates("1900-01-01", "2299-12-31");
    case SqlType::kDateTime:
      return ClampedDates("1900-01-01 00:00:00", "2299-12-31 23:59:59.999999");
    case SqlType::kTimestamp:
      return "0000-00-00 00:00:00 becomes NULL, or 1970-01-01 00:00:00 where NULL is not allowed";
    default:
      return "";
  }
}

bool MapsToBool(const model::Column& column, const TypeOptions& options) {
  if (!options.tinyint1_is_bool) return false;
  if (column.type == SqlType::kBit) return column.precision == 1;
  return column.type == SqlType::kTinyInt && column.type_text == "tinyint(1)";
}

Result<ColumnMapping> MapColumn(const model::Column& column, const TypeOptions& options,
                                bool in_key) {
  if (in_key && column.nullable && !options.nullable_keys) {
    return Refuse(column, "may be NULL, so it cannot be part of the sorting key",
                  "Choose sorting keys that are NOT NULL, or make the column NOT NULL");
  }
  if (in_key && column.nullable && !options.allow_nullable_columns) {
    return Refuse(column, "is of a key where NULL would become a value that others have",
                  "Leave allowNullableColumns out, or make the column NOT NULL");
  }
  if (in_key && (column.type == SqlType::kGeometry || column.type == SqlType::kVector)) {
    return Refuse(column,
                  fmt::format("is a {}, which cannot be part of the sorting key",
                              model::SqlTypeName(column.type)),
                  options.nullable_keys
                      ? "Name it in excludedColumns, or add a primary key of other columns"
                      : "Choose other sorting keys, or a primary key of other columns");
  }
  ColumnMapping mapping;
  bool low_cardinality = column.type == SqlType::kEnum;
  if (options.target_type.empty()) {
    PENSTOCK_ASSIGN(mapping.native_type, NativeType(column, options));
  } else {
    PENSTOCK_ASSIGN(const ChosenType chosen, ChooseType(column, options.target_type));
    if (in_key && chosen.kind == ChosenType::Kind::kJson) {
      return Refuse(column, "is JSON in ClickHouse, which cannot be part of the sorting key",
                    "Leave its targetType out, or choose other sorting keys");
    }
    mapping.native_type = NativeTypeOf(chosen, column);
    mapping.native_prefix = NativePrefixOf(chosen);
    low_cardinality = chosen.low_cardinality;
  }
  mapping.nullable = column.nullable && options.allow_nullable_columns && !IsArray(column.type);
  mapping.declared_type =
      mapping.nullable ? fmt::format("Nullable({})", mapping.native_type) : mapping.native_type;
  if (low_cardinality) {
    mapping.declared_type = fmt::format("LowCardinality({})", mapping.declared_type);
  }
  return mapping;
}

}  // namespace penstock::typemap
