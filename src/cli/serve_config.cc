#include "cli/serve_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cli/yaml.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;

// "log.level, log.format, log.file" of "log"; "": it is no such part.
std::string KeysBelow(const std::string& path) {
  std::string keys;
  for (const ServeOption& option : ServeOptionTable()) {
    if (!option.key.starts_with(path + ".")) continue;
    keys += (keys.empty() ? "" : ", ") + std::string(option.key);
  }
  return keys;
}

Result<std::vector<ServeSetting>> FromFile(const fs::path& file) {
  std::vector<ServeSetting> settings;
  if (file.empty()) return settings;
  PENSTOCK_ASSIGN(const auto entries, ReadYamlEntries(file));
  for (const YamlEntry& entry : entries) {
    const std::string place = fmt::format("{}: line {}: {}", file.string(), entry.line, entry.path);
    const ServeOption* option = FindServeOption(entry.path);
    if (option == nullptr) {
      const std::string below = KeysBelow(entry.path);
      if (!below.empty()) {
        return Fail(ErrorCode::kInvalidArgument, "{}: holds keys, not a value: {}", place, below);
      }
      return Fail(ErrorCode::kInvalidArgument,
                  "{}: unknown key; docs/configuration.md lists those there are", place);
    }
    if (entry.is_list && option->kind != ServeOption::Kind::kList) {
      return Fail(ErrorCode::kInvalidArgument, "{}: must be one value, not a list", place);
    }
    settings.push_back(
        {.option = option, .value = entry.value, .place = place, .folder = file.parent_path()});
  }
  return settings;
}

// An empty variable is as good as none.
std::vector<ServeSetting> FromEnvironment() {
  std::vector<ServeSetting> settings;
  for (const ServeOption& option : ServeOptionTable()) {
    const std::string variable = option.Variable();
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    settings.push_back({.option = &option, .value = value, .place = variable});
  }
  return settings;
}

Status Apply(const std::vector<ServeSetting>& settings, ServeConfig& config) {
  bool has_password = false;
  for (const auto& [option, value, place, folder] : settings) {
    if (option->key.starts_with("clickhouse.password") && std::exchange(has_password, true)) {
      return Fail(ErrorCode::kInvalidArgument, "{}: the password is given twice", place);
    }
    const Status set = option->set(value, folder, config.options);
    if (!set) return Fail(set.error().In(place));
    config.values[option->key] = value;
  }
  return {};
}

constexpr std::string_view kIntroduction = R"md(# Configuration of the server

<!-- Made from the code by PENSTOCK_WRITE_DOCS=1 build/dev/cli_test --gtest_filter='ConfigurationDoc*' -->

What `penstock serve` runs with is given by flags, by variables of the environment, and by a YAML file
(`--config FILE`, or `PENSTOCK_CONFIG`), whose keys nest at their dots:

```yaml
listen: 127.0.0.1:8124
log: {level: info, format: json}
```

A flag goes before the environment, and that before the file; an empty variable counts as none. An unknown key, one
that is given twice, and a value of the wrong kind are refused with the line. Relative paths of the file are relative
to its folder. Lists are written with commas in flags and variables; in the file they are lists. Passwords have no
flag, since everyone on the machine can see the words of a command. [deploy/penstock.yaml](../deploy/penstock.yaml) is
an example with everything in it.

On SIGHUP the server reads the file and the environment it was started with again, and opens its log file anew, so that
`logrotate` may move it away. What is marked *at once* is taken over; of other changes the log says that they need a restart. A file that is wrong by
then changes nothing, and the log says what is wrong with it. So the level of the log is changed while
the server runs by the file and `systemctl reload penstock`, or `kill -HUP`.

| key | flag | variable | changed | what it is (and its default) |
|---|---|---|---|---|
)md";

}  // namespace

Result<ServeConfig> LoadServeConfig(const ServeSources& sources) {
  ServeConfig config;
  config.options.test_limits = sources.test_limits;
  PENSTOCK_ASSIGN(const auto from_file, FromFile(sources.config));
  PENSTOCK_TRY(Apply(from_file, config));
  PENSTOCK_TRY(Apply(FromEnvironment(), config));
  PENSTOCK_TRY(Apply(sources.flags, config));
  PENSTOCK_TRY(CheckServeOptions(config.options));
  return config;
}

std::vector<std::string_view> NeedRestart(const ServeConfig& running, const ServeConfig& now) {
  const auto value = [](const ServeConfig& config, std::string_view key) {
    const auto found = config.values.find(key);
    return found == config.values.end() ? "" : found->second;
  };
  std::vector<std::string_view> keys;
  for (const ServeOption& option : ServeOptionTable()) {
    if (option.at_run_time || value(running, option.key) == value(now, option.key)) continue;
    keys.push_back(option.key);
  }
  return keys;
}

std::string ConfigurationDocument() {
  std::string text(kIntroduction);
  for (const ServeOption& option : ServeOptionTable()) {
    const std::string flag = option.Flag();
    text += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", option.key,
                        flag.empty() ? "" : "`" + flag + "`", option.Variable(),
                        option.at_run_time ? "at once" : "by a restart", option.help);
  }
  return text;
}

}  // namespace penstock::cli
