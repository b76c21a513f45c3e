#include "cli/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "api/shapes.h"

namespace penstock::cli {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;
constexpr int kNodesMax = 1'000'000;   // aliases can make a small file expand without end
constexpr size_t kEntriesMax = 1'000;  // of nested keys, which are few
constexpr size_t kFileBytesMax = 4ULL * 1024 * 1024;

// Plain scalars by the core schema of YAML 1.2.
json FromPlain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return text;
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  uint64_t natural = 0;
  if (const auto [at, error] = std::from_chars(begin, end, natural);
      error == std::errc() && at == end) {
    return natural;
  }
  int64_t integer = 0;
  if (const auto [at, error] = std::from_chars(begin, end, integer);
      error == std::errc() && at == end) {
    return integer;
  }
  double number = 0;
  if (const auto [at, error] = std::from_chars(begin, end, number);
      error == std::errc() && at == end) {
    return number;
  }
  return text;
}

Failure At(const YAML::Node& node, std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument, "line {}: {}", node.Mark().line + 1, what);
}

// The library's Load would drop those after the first.
Result<YAML::Node> OnlyDocument(const std::string& text) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(text);
  if (documents.empty()) return YAML::Node();
  if (documents.size() > 1)
    return At(documents[1], "another document begins; give each its own file");
  return documents[0];
}

class Converter {
 public:
  Result<json> Convert(const YAML::Node& node, int depth) {
    if (depth > kDepthMax) return At(node, "nests too deep");
    if (++nodes_ > kNodesMax) return At(node, "too many values");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return node.Tag() == "?" ? FromPlain(node.Scalar()) : json(node.Scalar());
      case YAML::NodeType::Sequence:
        return ConvertSequence(node, depth);
      case YAML::NodeType::Map:
        return ConvertMap(node, depth);
      default:
        return json();
    }
  }

 private:
  Result<json> ConvertSequence(const YAML::Node& node, int depth) {
    json list = json::array();
    for (const YAML::Node& element : node) {
      PENSTOCK_ASSIGN(json value, Convert(element, depth + 1));
      list.push_back(std::move(value));
    }
    return list;
  }

  Result<json> ConvertMap(const YAML::Node& node, int depth) {
    json object = json::object();
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) return At(pair.first, "a key must be a plain word");
      const std::string& key = pair.first.Scalar();
      if (object.contains(key)) return At(pair.first, fmt::format("{} is given twice", key));
      PENSTOCK_ASSIGN(object[key], Convert(pair.second, depth + 1));
    }
    return object;
  }

  int nodes_ = 0;
};

class Flattener {
 public:
  Status Add(const YAML::Node& map, const std::string& prefix, int depth) {
    if (depth > kDepthMax) return At(map, "nests too deep");
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) return At(pair.first, "a key must be a plain word");
      const std::string path = prefix + pair.first.Scalar();
      const bool known = std::ranges::count(keys_, path) != 0;
      if (known) return At(pair.first, fmt::format("{} is given twice", path));
      keys_.push_back(path);
      if (keys_.size() > kEntriesMax) return At(pair.first, "too many keys");
      if (pair.second.IsMap()) {
        PENSTOCK_TRY(Add(pair.second, path + ".", depth + 1));
      } else {
        PENSTOCK_TRY(AddValue(pair.first, path, pair.second));
      }
    }
    return {};
  }

  std::vector<YamlEntry> TakeEntries() { return std::move(entries_); }

 private:
  Status AddValue(const YAML::Node& key, const std::string& path, const YAML::Node& value) {
    YamlEntry entry{.path = path, .value = "", .line = key.Mark().line + 1};
    entry.is_list = value.IsSequence();
    if (value.IsScalar()) entry.value = value.Scalar();
    for (const YAML::Node& element : value) {
      if (!element.IsScalar()) return At(element, fmt::format("{}: must hold plain values", path));
      entry.value += (entry.value.empty() ? "" : ",") + element.Scalar();
    }
    if (value.IsNull()) return At(key, fmt::format("{} has no value", path));
    entries_.push_back(std::move(entry));
    return {};
  }

  std::vector<std::string> keys_;
  std::vector<YamlEntry> entries_;
};

Result<std::vector<YamlEntry>> Entries(const std::string& text) {
  try {
    PENSTOCK_ASSIGN(const YAML::Node root, OnlyDocument(text));
    if (root.IsNull()) return std::vector<YamlEntry>();  // an empty file
    if (!root.IsMap()) return At(root, "must be keys and values");
    Flattener flattener;
    PENSTOCK_TRY(flattener.Add(root, "", 0));
    return flattener.TakeEntries();
  } catch (const YAML::Exception& exception) {
    return Fail(ErrorCode::kInvalidArgument, "line {}: {}", exception.mark.line + 1, exception.msg);
  }
}

}  // namespace

Result<std::vector<YamlEntry>> ReadYamlEntries(const std::filesystem::path& file) {
  PENSTOCK_ASSIGN(const std::string text, ReadFile(file));
  auto entries = Entries(text);
  if (!entries) return Fail(entries.error().In(file.string()));
  return entries;
}

Result<json> ParseYaml(const std::string& text) {
  // Not every JSON text is YAML to the library ("\ud83d\ude00").
  if (const size_t first = text.find_first_not_of(" \t\r\n");
      first != std::string::npos && text[first] == '{' && json::accept(text)) {
    return api::ParseBody(text);
  }
  try {
    PENSTOCK_ASSIGN(const YAML::Node root, OnlyDocument(text));
    return Converter().Convert(root, 0);
  } catch (const YAML::Exception& exception) {
    return Fail(ErrorCode::kInvalidArgument, "line {}: {}", exception.mark.line + 1, exception.msg);
  }
}

Result<std::string> ReadFile(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad() || (stream.fail() && !stream.eof())) {
    return Fail(ErrorCode::kInvalidArgument, "cannot read {}: {}", file.string(),
                std::strerror(errno));
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) {
    return Fail(ErrorCode::kInvalidArgument, "{} is larger than 4 MiB", file.string());
  }
  return text;
}

Result<json> ReadYamlFile(const std::filesystem::path& file) {
  PENSTOCK_ASSIGN(const std::string text, ReadFile(file));
  Result<json> parsed = ParseYaml(text);
  if (!parsed) return Fail(parsed.error().In(file.string()));
  return parsed;
}

}  // namespace penstock::cli
