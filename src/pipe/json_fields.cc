#include "pipe/json_fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace penstock::pipe {
namespace {

using nlohmann::json;

std::string_view TypeWord(json::value_t type) {
  switch (type) {
    case json::value_t::array:
      return "a list";
    case json::value_t::boolean:
      return "true or false";
    case json::value_t::string:
      return "a string";
    default:
      return "an object";
  }
}

// How many letters are to be added, taken out or changed to make `b` of `a`.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t before = std::exchange(row[0], i + 1);  // the row above, one to the left
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = before + (a[i] == b[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({changed, before + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

// What people may have meant by `key`: fields that are nearly written so, or begin so.
std::vector<std::string_view> MeantBy(std::string_view key,
                                      const std::set<std::string, std::less<>>& fields) {
  constexpr size_t kSlipsMax = 2;
  constexpr size_t kKeyMax = 100;
  std::vector<std::string_view> meant;
  if (key.size() > kKeyMax) return meant;  // no slip, and long to compare
  for (const std::string& field : fields) {
    const bool begins_so = field.starts_with(key) || key.starts_with(field);
    if (begins_so || Distance(key, field) <= kSlipsMax) meant.push_back(field);
  }
  return meant;
}

}  // namespace

ObjectReader::ObjectReader(const json& object, std::string path, std::optional<Error>& error)
    : object_(object), path_(std::move(path)), error_(error) {
  if (!object_.is_object()) Fail("", "must be an object");
}

std::string ObjectReader::PathOf(std::string_view key) const {
  if (key.empty()) return path_.empty() ? "body" : path_;
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void ObjectReader::Fail(std::string_view key, std::string_view what) {
  if (error_) return;
  error_ = Error{.code = ErrorCode::kInvalidArgument,
                 .message = fmt::format("{}: {}", PathOf(key), what)};
}

const json* ObjectReader::Find(const char* key, Presence presence) {
  known_.emplace(key);
  if (object_.is_object()) {
    const auto found = object_.find(key);
    if (found != object_.end() && !found->is_null()) return &*found;
  }
  if (presence == Presence::kRequired) Fail(key, "missing");
  return nullptr;
}

void ObjectReader::ReadText(const char* key, const TextRules& rules, std::string& value) {
  const json* found = Find(key, rules.presence);
  if (found == nullptr) return;
  if (!found->is_string()) return Fail(key, "must be a string");
  value = found->get<std::string>();
  if (value.empty() && rules.presence == Presence::kRequired) return Fail(key, "must not be empty");
  if (value.size() > rules.bytes_max) {
    return Fail(key, fmt::format("must not be longer than {} bytes", rules.bytes_max));
  }
  if (value.find('\0') != std::string::npos) Fail(key, "must not hold a zero byte");
}

void ObjectReader::ReadBool(const char* key, bool& value) {
  const json* found = Find(key, Presence::kOptional);
  if (found == nullptr) return;
  if (!found->is_boolean()) return Fail(key, "must be true or false");
  value = found->get<bool>();
}

std::optional<uint64_t> ObjectReader::ReadNumber(const char* key, const NumberRules& rules) {
  const json* found = Find(key, rules.presence);
  if (found == nullptr) return std::nullopt;
  const bool negative =
      found->is_number_integer() && !found->is_number_unsigned() && found->get<int64_t>() < 0;
  if (found->is_number_integer() && !negative) {
    const auto number = found->get<uint64_t>();
    if (number >= rules.min && number <= rules.max) return number;
  }
  Fail(key, fmt::format("must be a whole number from {} to {}", rules.min, rules.max));
  return std::nullopt;
}

std::optional<std::string> ObjectReader::ReadChoice(const char* key, Presence presence,
                                                    const std::vector<std::string_view>& allowed) {
  const json* found = Find(key, presence);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) {
    auto text = found->get<std::string>();
    if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
  }
  Fail(key, fmt::format("must be one of: {}", fmt::join(allowed, ", ")));
  return std::nullopt;
}

void ObjectReader::ReadTexts(const char* key, std::vector<std::string>& values) {
  const json* found = Find(key, Presence::kOptional);
  if (found == nullptr) return;
  if (!found->is_array()) return Fail(key, "must be a list of strings");
  std::set<std::string> seen;
  for (const json& element : *found) {
    if (!element.is_string()) return Fail(key, "must be a list of strings");
    values.push_back(element.get<std::string>());
    if (values.back().empty()) return Fail(key, "must not hold an empty string");
    if (!seen.insert(values.back()).second) return Fail(key, "must not hold a string twice");
  }
}

void ObjectReader::Accept(const char* key, json::value_t type) {
  const json* found = Find(key, Presence::kOptional);
  if (found != nullptr && found->type() != type) {
    Fail(key, fmt::format("must be {}", TypeWord(type)));
  }
}

void ObjectReader::RefuseOthers() {
  if (!object_.is_object() || error_) return;
  for (const auto& [key, value] : object_.items()) {
    if (value.is_null() || known_.contains(key)) continue;
    const auto meant = MeantBy(key, known_);
    return Fail(key, meant.empty()
                         ? fmt::format("unknown field; there are {}", fmt::join(known_, ", "))
                         : fmt::format("unknown field; perhaps {}", fmt::join(meant, " or ")));
  }
}

}  // namespace penstock::pipe
