#pragma once

#include <string>
#include <string_view>
#include <vector>

// For pipe/checks/ only.
namespace penstock::pipe {

struct Cascade {
  std::string key;    // its name
  std::string rules;  // "ON DELETE CASCADE ON UPDATE SET NULL"
};

// The foreign keys that change rows of this table, by what SHOW CREATE TABLE says.
std::vector<Cascade> CascadesOf(std::string_view create);

}  // namespace penstock::pipe
