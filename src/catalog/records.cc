#include "catalog/records.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/byte_reader.h"

namespace penstock::catalog {
namespace {

using nlohmann::json;

std::optional<model::SqlType> TypeFromName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(model::SqlType::kUnsupported); ++i) {
    const auto type = static_cast<model::SqlType>(i);
    if (model::SqlTypeName(type) == name) return type;
  }
  return std::nullopt;
}

// What older versions did not record is written only where it says something.
json ColumnToJson(const model::Column& column) {
  json object = {{"name", column.name},          {"type", model::SqlTypeName(column.type)},
                 {"typeText", column.type_text}, {"unsigned", column.is_unsigned},
                 {"nullable", column.nullable},  {"precision", column.precision},
                 {"scale", column.scale},        {"length", column.length},
                 {"charset", column.charset},    {"collation", column.collation},
                 {"labels", column.labels}};
  if (column.compressed) object["compressed"] = true;
  if (!column.in_log) object["inLog"] = false;
  return object;
}

Result<model::Column> ColumnFromJson(const json& object) {
  const auto type_name = object.at("type").get<std::string>();
  const std::optional<model::SqlType> type = TypeFromName(type_name);
  if (!type) return Fail(ErrorCode::kBadData, "unknown column type {}", type_name);
  model::Column column;
  column.name = object.at("name").get<std::string>();
  column.type = *type;
  column.type_text = object.at("typeText").get<std::string>();
  column.is_unsigned = object.at("unsigned").get<bool>();
  column.nullable = object.at("nullable").get<bool>();
  column.precision = object.at("precision").get<uint32_t>();
  column.scale = object.at("scale").get<uint32_t>();
  column.length = object.at("length").get<uint64_t>();
  column.charset = object.at("charset").get<std::string>();
  column.collation = object.at("collation").get<std::string>();
  column.labels = object.at("labels").get<std::vector<std::string>>();
  column.compressed = object.value("compressed", false);
  column.in_log = object.value("inLog", true);
  return column;
}

Result<model::Table> TableFromJson(const json& object) {
  model::Table table;
  table.name.schema = object.at("schema").get<std::string>();
  table.name.table = object.at("table").get<std::string>();
  table.engine = object.at("engine").get<std::string>();
  for (const json& column : object.at("columns")) {
    PENSTOCK_ASSIGN(model::Column decoded, ColumnFromJson(column));
    table.columns.push_back(std::move(decoded));
  }
  table.key = object.at("key").get<std::vector<size_t>>();
  table.key_is_primary = object.at("keyIsPrimary").get<bool>();
  table.collation = object.value("collation", std::string());
  table.hidden_columns = object.value("hiddenColumns", size_t{0});
  if (object.contains("rowEnd")) table.row_end = object.at("rowEnd").get<size_t>();
  if (table.row_end && *table.row_end >= table.columns.size() + table.hidden_columns) {
    return Fail(ErrorCode::kBadData, "row end beyond the columns");
  }
  for (const size_t index : table.key) {
    if (index >= table.columns.size()) return Fail(ErrorCode::kBadData, "key beyond the columns");
  }
  return table;
}

}  // namespace

Result<std::string> EncodeTable(const model::Table& table) {
  json columns = json::array();
  for (const model::Column& column : table.columns) columns.push_back(ColumnToJson(column));
  json object = {{"schema", table.name.schema},
                 {"table", table.name.table},
                 {"engine", table.engine},
                 {"columns", std::move(columns)},
                 {"key", table.key},
                 {"keyIsPrimary", table.key_is_primary}};
  if (!table.collation.empty()) object["collation"] = table.collation;
  if (table.hidden_columns != 0) object["hiddenColumns"] = table.hidden_columns;
  if (table.row_end) object["rowEnd"] = *table.row_end;
  try {
    return object.dump();
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "definition of {}: {}", table.name.ToString(),
                exception.what());
  }
}

Result<model::Table> DecodeTable(std::string_view text) {
  try {
    return TableFromJson(json::parse(text));
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "stored table definition: {}", exception.what());
  }
}

Result<std::string> EncodeOpen(const OpenTransaction& open) {
  if (open.tables.empty()) return std::string();
  json tables = json::array();
  for (const auto& [table_id, rows] : open.tables) tables.push_back({table_id, rows});
  try {
    return json{{"gtid", open.gtid}, {"tables", std::move(tables)}}.dump();
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "open transaction: {}", exception.what());
  }
}

Result<OpenTransaction> DecodeOpen(std::string_view text) {
  OpenTransaction open;
  if (text.empty()) return open;
  try {
    const json object = json::parse(text);
    open.gtid = object.at("gtid").get<std::string>();
    for (const json& table : object.at("tables")) {
      open.tables.push_back({table.at(0).get<int64_t>(), table.at(1).get<uint64_t>()});
    }
    return open;
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "stored open transaction: {}", exception.what());
  }
}

Result<std::string> EncodeSent(const std::optional<Sent>& sent) {
  if (!sent) return std::string();
  try {
    return json{{"readTo", sent->read_to.Serialize()}, {"tables", sent->table_ids}}.dump();
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "sent rows: {}", exception.what());
  }
}

Result<std::optional<Sent>> DecodeSent(std::string_view text) {
  if (text.empty()) return std::nullopt;
  try {
    const json object = json::parse(text);
    PENSTOCK_ASSIGN(auto read_to, model::Position::Parse(object.at("readTo").get<std::string>()));
    return Sent{.read_to = std::move(read_to),
                .table_ids = object.at("tables").get<std::vector<int64_t>>()};
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "stored sent rows: {}", exception.what());
  }
}

Result<std::string> EncodePrepared(const std::vector<model::PreparedTransaction>& prepared) {
  if (prepared.empty()) return std::string();
  json list = json::array();
  for (const auto& [xid, file, bytes, tables] : prepared) {
    json names = json::array();
    for (const auto& name : tables) names.push_back({name.schema, name.table});
    list.push_back({{"xid", xid}, {"file", file}, {"bytes", bytes}, {"tables", std::move(names)}});
  }
  try {
    return list.dump();
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "prepared transactions: {}", exception.what());
  }
}

Result<std::vector<model::PreparedTransaction>> DecodePrepared(std::string_view text) {
  std::vector<model::PreparedTransaction> prepared;
  if (text.empty()) return prepared;
  try {
    for (const json& object : json::parse(text)) {
      auto& one = prepared.emplace_back();
      one.xid = object.at("xid").get<std::string>();
      one.file = object.at("file").get<std::string>();
      one.bytes = object.at("bytes").get<uint64_t>();
      for (const json& name : object.at("tables")) {
        one.tables.push_back({name.at(0).get<std::string>(), name.at(1).get<std::string>()});
      }
    }
    return prepared;
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "stored prepared transactions: {}", exception.what());
  }
}

std::string EncodeChanges(const std::vector<BatchRecord::Table>& tables) {
  json list = json::array();
  for (const auto& table : tables) {
    list.push_back({table.table_id, table.inserted, table.updated, table.deleted});
  }
  return list.dump();
}

Result<std::vector<BatchRecord::Table>> DecodeChanges(std::string_view text) {
  std::vector<BatchRecord::Table> tables;
  try {
    for (const json& table : json::parse(text)) {
      tables.push_back({.table_id = table.at(0).get<int64_t>(),
                        .inserted = table.at(1).get<uint64_t>(),
                        .updated = table.at(2).get<uint64_t>(),
                        .deleted = table.at(3).get<uint64_t>()});
    }
    return tables;
  } catch (const json::exception& exception) {
    return Fail(ErrorCode::kBadData, "stored changes of a batch: {}", exception.what());
  }
}

std::string EncodeBounds(const std::vector<std::string>& bounds) {
  std::string bytes;
  for (const std::string& bound : bounds) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>(bound.size() >> shift & 0xff));
    }
    bytes += bound;
  }
  return bytes;
}

Result<std::vector<std::string>> DecodeBounds(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<std::string> bounds;
  while (reader.ok() && !reader.AtEnd()) {
    const uint32_t length = reader.U32();
    bounds.emplace_back(reader.Bytes(length));
  }
  if (!reader.ok()) return Fail(ErrorCode::kBadData, "stored partition boundary is cut short");
  return bounds;
}

}  // namespace penstock::catalog
