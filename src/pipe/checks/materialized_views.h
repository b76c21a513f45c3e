#pragma once

#include <string>
#include <string_view>

// What can be told of a materialized view without a server. For pipe/checks/ only.
namespace penstock::pipe {

struct TargetName {
  std::string database;
  std::string table;

  auto operator<=>(const TargetName&) const = default;
};

// The table that a view writes to, by its CREATE statement as system.tables has it: that of its TO,
// else one of its own.
TargetName TargetOfView(std::string_view create, const TargetName& view, std::string_view uuid);

// Whether an engine with its settings, as engine_full has it, remembers what was inserted.
bool HasDeduplicationWindow(std::string_view engine);

}  // namespace penstock::pipe
