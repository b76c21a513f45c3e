#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

struct EngineNote {
  std::string_view engine;
  std::string_view note;
};
constexpr std::string_view kElsewhere =
    "rows that are changed at the place it stands for are not in this server's log";
constexpr std::string_view kNoTransactions =
    "it has no transactions: after a crash of the source its rows and its log may differ";
constexpr std::array kNotes = {
    EngineNote{"BLACKHOLE", "it keeps no rows, so the snapshot finds none"},
    EngineNote{"MEMORY", "it is empty after a restart of the source, which its log may not tell"},
    EngineNote{"FEDERATED", kElsewhere},
    EngineNote{"CONNECT", kElsewhere},
    EngineNote{"SPIDER", kElsewhere},
    EngineNote{"S3", kElsewhere},
    EngineNote{"MRG_MyISAM",
               "rows changed in the tables it is made of are logged as those tables'"},
    EngineNote{"Columnstore", "its changes may be logged as statements"},
    EngineNote{"MyISAM", kNoTransactions},
    EngineNote{"Aria", kNoTransactions},
    EngineNote{"ARCHIVE", kNoTransactions},
    EngineNote{"CSV", kNoTransactions},
};
constexpr size_t kNamesMax = 5;

}  // namespace

// Engines whose log does not tell all that becomes of their rows.
void CheckStorageEngines(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  std::map<std::string, std::vector<std::string>> tables;  // by engine
  std::map<std::string, std::string> first;
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    tables[table.engine].push_back(table.name.ToString());
    first.emplace(table.engine, QuotedName(table.name));
  });
  for (auto& [engine, names] : tables) {
    const auto* note = std::ranges::find(kNotes, engine, &EngineNote::engine);
    if (note == kNotes.end()) continue;
    const std::string statement = fmt::format("ALTER TABLE {} ENGINE = InnoDB;", first[engine]);
    const size_t count = names.size();
    names.resize(std::min(count, kNamesMax));
    AddWarning(findings,
               fmt::format("{}{} {} of the engine {}: {}", fmt::join(names, ", "),
                           count > kNamesMax ? fmt::format(" and {} more", count - kNamesMax) : "",
                           count == 1 ? "is" : "are", engine, note->note),
               "Use InnoDB, or keep this in mind", statement);
  }
  AddOkIfNone(findings, before, "every table's engine has transactions");
}

}  // namespace penstock::pipe
