#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/serve_options.h"

namespace penstock::cli {

// A value that was given, and where: "--listen", "PENSTOCK_LISTEN", "penstock.yaml: line 3:
// listen".
struct ServeSetting {
  const ServeOption* option;
  std::string value;
  std::string place;
  std::filesystem::path folder = {};  // what relative paths are relative to; "": the current one
};

// Where the options come from; the environment is read as well.
struct ServeSources {
  std::filesystem::path config;  // "": none
  std::vector<ServeSetting> flags;
  bool test_limits = false;
};

struct ServeConfig {
  ServeOptions options;
  std::map<std::string_view, std::string> values;  // by key, those that were given
};

// Flags go before the environment, which goes before the file. kInvalidArgument names the place of
// what is wrong, and never its value.
Result<ServeConfig> LoadServeConfig(const ServeSources& sources);

// Keys of which `now` has another value, that is taken over by a restart only.
std::vector<std::string_view> NeedRestart(const ServeConfig& running, const ServeConfig& now);

// docs/configuration.md, made of the table of options.
std::string ConfigurationDocument();

}  // namespace penstock::cli
