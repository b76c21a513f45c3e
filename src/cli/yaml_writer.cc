#include "cli/yaml_writer.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "cli/yaml.h"

namespace penstock::cli {
namespace {

using nlohmann::json;

// Words that other readers of YAML take for true and false.
bool IsWordOfOthers(const std::string& text) {
  constexpr std::array kWords = {"y", "n", "yes", "no", "on", "off"};
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::count(kWords, lower) != 0;
}

// Likewise for a date or a time.
bool IsTimeOfOthers(const std::string& text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_of("-:") != std::string::npos;
}

// Quoted where it would not be read back as it is.
void EmitText(const std::string& text, YAML::Emitter& out) {
  const auto plain = ParseYaml(text);
  const bool same = plain && *plain == json(text);
  if (!same || IsWordOfOthers(text) || IsTimeOfOthers(text)) out << YAML::DoubleQuoted;
  out << text;
}

void Emit(const json& value, YAML::Emitter& out) {
  if (value.is_structured() && value.empty()) out << YAML::Flow;
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, of_key] : value.items()) {
      out << YAML::Key;
      EmitText(key, out);
      out << YAML::Value;
      Emit(of_key, out);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const json& element : value) Emit(element, out);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    EmitText(value.get_ref<const std::string&>(), out);
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();
  }
}

}  // namespace

std::string ToYaml(const json& value) {
  YAML::Emitter out;
  Emit(value, out);
  return std::string(out.c_str()) + "\n";
}

std::string ValueText(const json& value, OutputFormat format) {
  if (format == OutputFormat::kYaml) return ToYaml(value);
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace penstock::cli
