#include "typemap/column_map.h"

#include <algorithm>
#include <numeric>

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
  constexpr std::array<std::string_view, 6> kUtf8 = {"",     "utf8mb4", "utf8mb3",
                                                     "utf8", "ascii",   "binary"};
  if (std::ranges::find(kUtf8, column.charset) != kUtf8.end()) return "String";
  return Refuse(
      column,
      fmt::format("has character set {}, which this version does not convert yet", column.charset),
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

}  // namespace

uint64_t ChangeCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

void ChangeCounts::Add(const ChangeCounts& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
}

bool MapsToBool(const model::Column& column, const TypeOptions& options) {
  if (!options.tinyint1_is_bool) return false;
  if (column.type == SqlType::kBit) return column.precision == 1;
  return column.type == SqlType::kTinyInt && column.type_text == "tinyint(1)";
}

Result<ColumnMapping> MapColumn(const model::Column& column, const TypeOptions& options,
                                bool in_key) {
  if (in_key && column.nullable) {
    return Refuse(column, "may be NULL, so it cannot be part of the sorting key",
                  "Choose sorting keys that are NOT NULL, or make the column NOT NULL");
  }
  if (in_key && (column.type == SqlType::kGeometry || column.type == SqlType::kVector)) {
    return Refuse(column,
                  fmt::format("is a {}, which cannot be part of the sorting key",
                              model::SqlTypeName(column.type)),
                  "Choose other sorting keys, or a primary key of other columns");
  }
  if (!column.in_log) {
    return Refuse(column,
                  "is generated, and this server's log does not hold it when a row is updated",
                  "Name the column in excludedColumns, and compute it in ClickHouse");
  }
  ColumnMapping mapping;
  PENSTOCK_ASSIGN(mapping.native_type, NativeType(column, options));
  mapping.nullable = column.nullable && options.allow_nullable_columns && !IsArray(column.type);
  mapping.declared_type =
      mapping.nullable ? fmt::format("Nullable({})", mapping.native_type) : mapping.native_type;
  if (column.type == SqlType::kEnum) {
    mapping.declared_type = fmt::format("LowCardinality({})", mapping.declared_type);
  }
  return mapping;
}

}  // namespace penstock::typemap
