#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/status.h"

namespace penstock::cli {

// YAML (or JSON) text as JSON: what is quoted is a string; plain true, false, null and numbers are
// what they look like; everything else is a string ("yes" too). A key given twice, which the YAML
// library would let pass, is kInvalidArgument, as are whatever nests too deep, and a second
// document.
Result<nlohmann::json> ParseYaml(const std::string& text);

// The same from a file; the file's name is in errors.
Result<nlohmann::json> ReadYamlFile(const std::filesystem::path& file);

// A value of a file of nested keys, as it is written.
struct YamlEntry {
  std::string path;  // "log.level"
  std::string value;
  int line = 0;          // of the key, from 1
  bool is_list = false;  // then `value` is its elements, with commas between them
};

// All values of such a file. kInvalidArgument, with the line, for a key given twice, one without a
// value, and lists of anything but plain values.
Result<std::vector<YamlEntry>> ReadYamlEntries(const std::filesystem::path& file);

// The file's bytes, at most 4 MiB.
Result<std::string> ReadFile(const std::filesystem::path& file);

}  // namespace penstock::cli
