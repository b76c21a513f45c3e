#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace penstock::pipe {

// Two ways over the same description of a JSON object: a function template that names each field
// once, with its bounds, is run with a FieldReader (JSON into a struct, strictly) or with a
// FieldWriter (a struct into JSON). So the two cannot drift apart.
//
//   template <typename Fields>
//   void DescribeSettings(Fields& fields) {
//     fields.Number("pullBatchSize", &Settings::pull_batch_size, {.min = 1, .max = 1000});
//   }

enum class Presence : uint8_t { kOptional, kRequired };

struct TextRules {
  Presence presence = Presence::kOptional;
  size_t bytes_max = 1024;
};

struct NumberRules {
  Presence presence = Presence::kOptional;
  uint64_t min = 0;
  uint64_t max = UINT32_MAX;
};

template <typename E>
using Choices = std::span<const std::pair<std::string_view, E>>;

// One JSON object that is being read. The first error stays, named by the field's path; later ones
// are dropped. null counts as absent. The JSON, and the error, outlive it.
class ObjectReader {
 public:
  ObjectReader(const nlohmann::json& object, std::string path, std::optional<Error>& error);

  // The field's value, or nullptr when it is absent (an error if required).
  const nlohmann::json* Find(const char* key, Presence presence);
  std::string PathOf(std::string_view key) const;
  void Fail(std::string_view key, std::string_view what);

  void ReadText(const char* key, const TextRules& rules, std::string& value);
  void ReadBool(const char* key, bool& value);
  std::optional<uint64_t> ReadNumber(const char* key, const NumberRules& rules);
  std::optional<std::string> ReadChoice(const char* key, Presence presence,
                                        const std::vector<std::string_view>& allowed);
  // Non-empty strings, none twice.
  void ReadTexts(const char* key, std::vector<std::string>& values);
  // Any value of this JSON type, which nothing here looks into.
  void Accept(const char* key, nlohmann::json::value_t type);
  // Every field that was not asked for is an error.
  void RefuseOthers();

  std::optional<Error>& error() { return error_; }

 private:
  const nlohmann::json& object_;
  const std::string path_;
  std::optional<Error>& error_;
  std::set<std::string, std::less<>> known_;
};

template <typename T>
class FieldReader {
 public:
  FieldReader(ObjectReader& object, T& target) : object_(object), target_(target) {}

  void Text(const char* key, std::string T::*field, const TextRules& rules = {}) {
    object_.ReadText(key, rules, target_.*field);
  }
  void Bool(const char* key, bool T::*field) { object_.ReadBool(key, target_.*field); }
  template <std::unsigned_integral N>
  void Number(const char* key, N T::*field, const NumberRules& rules) {
    if (const auto number = object_.ReadNumber(key, rules)) {
      target_.*field = static_cast<N>(*number);
    }
  }
  template <std::unsigned_integral N>
  void Number(const char* key, std::optional<N> T::*field, const NumberRules& rules) {
    if (const auto number = object_.ReadNumber(key, rules)) {
      target_.*field = static_cast<N>(*number);
    }
  }
  template <typename E>
  void Choice(const char* key, E T::*field, Choices<E> choices,
              Presence presence = Presence::kOptional) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    const std::optional<std::string> chosen = object_.ReadChoice(key, presence, names);
    for (const auto& [name, value] : choices) {
      if (chosen == name) target_.*field = value;
    }
  }
  void Texts(const char* key, std::vector<std::string> T::*field) {
    object_.ReadTexts(key, target_.*field);
  }

 private:
  ObjectReader& object_;
  T& target_;
};

enum class Written : uint8_t { kGiven, kAll };

// Writes over what was given: a field appears when it was given, is required, or differs from its
// default; or every one that has a value.
template <typename T>
class FieldWriter {
 public:
  FieldWriter(nlohmann::json& object, const T& source, Written written = Written::kGiven)
      : object_(object), source_(source), written_(written) {}

  void Text(const char* key, std::string T::*field, const TextRules& rules = {}) {
    Write(key, field, rules.presence, source_.*field);
  }
  void Bool(const char* key, bool T::*field) {
    Write(key, field, Presence::kOptional, source_.*field);
  }
  template <std::unsigned_integral N>
  void Number(const char* key, N T::*field, const NumberRules& rules) {
    Write(key, field, rules.presence, source_.*field);
  }
  template <std::unsigned_integral N>
  void Number(const char* key, std::optional<N> T::*field, const NumberRules& rules) {
    if (source_.*field) Write(key, field, rules.presence, *(source_.*field));
  }
  template <typename E>
  void Choice(const char* key, E T::*field, Choices<E> choices,
              Presence presence = Presence::kOptional) {
    for (const auto& [name, value] : choices) {
      if (value == source_.*field) Write(key, field, presence, name);
    }
  }
  void Texts(const char* key, std::vector<std::string> T::*field) {
    Write(key, field, Presence::kOptional, source_.*field);
  }

 private:
  template <typename Field, typename Value>
  void Write(const char* key, Field T::*field, Presence presence, const Value& value) {
    const bool is_default = source_.*field == defaults_.*field;
    const bool given = object_.contains(key) && !(is_default && object_[key].is_null());
    const bool always = presence == Presence::kRequired || written_ == Written::kAll;
    if (given || always || !is_default) object_[key] = value;
  }

  nlohmann::json& object_;
  const T& source_;
  const Written written_;
  const T defaults_{};
};

}  // namespace penstock::pipe
