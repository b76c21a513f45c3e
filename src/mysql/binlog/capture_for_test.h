#pragma once

#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "model/table.h"

// Logs of real servers for the tests of this room, as tools/capture_binlog.py wrote them (the
// format is described there).
namespace penstock::binlog {

struct CapturedTable {
  model::Table table;
  std::vector<std::vector<std::optional<std::string>>> rows;  // as the server SELECTs them
  std::vector<std::string> packets;  // the same in the binary protocol, where captured
};

struct Capture {
  bool checksum_asked_for = false;
  std::vector<std::string> events;
  std::vector<CapturedTable> tables;
};

inline std::string FromHex(std::string_view hex) {
  PENSTOCK_CHECK(hex.size() % 2 == 0);
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

inline std::string Inflate(const std::string& deflated) {
  std::string plain(1 << 23, '\0');
  uLongf length = plain.size();
  PENSTOCK_CHECK(uncompress(reinterpret_cast<Bytef*>(plain.data()), &length,
                            reinterpret_cast<const Bytef*>(deflated.data()),
                            deflated.size()) == Z_OK);
  plain.resize(length);
  return plain;
}

inline std::vector<std::string> SplitAt(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(separator, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

inline model::SqlType SqlTypeNamed(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(model::SqlType::kUnsupported); ++i) {
    const auto type = static_cast<model::SqlType>(i);
    if (model::SqlTypeName(type) == name) return type;
  }
  PENSTOCK_CHECK(false);
  std::abort();
}

inline model::Column CapturedColumn(const std::vector<std::string>& fields) {
  model::Column column;
  column.name = fields[1];
  column.type = SqlTypeNamed(fields[2]);
  column.type_text = fields[3];
  column.is_unsigned = fields[4] == "1";
  column.precision = static_cast<uint32_t>(std::stoul(fields[5]));
  column.scale = static_cast<uint32_t>(std::stoul(fields[6]));
  column.length = std::stoull(fields[7]);
  column.charset = fields[8];
  column.compressed = column.type_text.find(" COMPRESSED") != std::string::npos;
  if (!fields[9].empty()) column.labels = SplitAt(fields[9], '|');
  return column;
}

inline std::optional<std::string> CapturedCell(const std::string& field) {
  if (field == "NULL") return std::nullopt;
  if (field.starts_with("z:")) return Inflate(FromHex(field.substr(2)));
  return FromHex(field);
}

inline Capture LoadCapture(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_TESTDATA "/binlog/") + name + ".txt");
  PENSTOCK_CHECK(file.good());
  Capture capture;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = SplitAt(line, '\t');
    if (line.starts_with('#')) capture.checksum_asked_for = line.ends_with("CRC32");
    if (fields[0] == "like") capture.tables = LoadCapture(fields[1]).tables;
    if (fields[0] == "event") capture.events.push_back(FromHex(fields[1]));
    if (fields[0] == "zevent") capture.events.push_back(Inflate(FromHex(fields[1])));
    if (fields[0] == "table") {
      model::Table& table = capture.tables.emplace_back().table;
      table.name = {fields[1], fields[2]};
      if (fields.size() > 3) table.hidden_columns = std::stoul(fields[3]);
    }
    if (fields[0] == "column") {
      capture.tables.back().table.columns.push_back(CapturedColumn(fields));
    }
    if (fields[0] == "packet") capture.tables.back().packets.push_back(FromHex(fields[1]));
    if (fields[0] == "zpacket") {
      capture.tables.back().packets.push_back(Inflate(FromHex(fields[1])));
    }
    if (fields[0] == "row") {
      auto& row = capture.tables.back().rows.emplace_back();
      for (size_t i = 1; i < fields.size(); ++i) row.push_back(CapturedCell(fields[i]));
    }
  }
  return capture;
}

}  // namespace penstock::binlog
