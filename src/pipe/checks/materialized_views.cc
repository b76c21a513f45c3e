#include "pipe/checks/materialized_views.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// A quoted or plain identifier at the beginning of `text`, which it is taken from.
std::string TakeIdentifier(std::string_view& text) {
  std::string name;
  const bool quoted = text.starts_with('`');
  if (quoted) text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text.front();
    if (quoted ? c == '`' : c == '.' || c == ' ' || c == '\n' || c == '(') break;
    if (quoted && c == '\\' && text.size() > 1) text.remove_prefix(1);
    name += text.front();
    text.remove_prefix(1);
  }
  if (quoted && !text.empty()) text.remove_prefix(1);
  return name;
}

TargetName TakeName(std::string_view& text) {
  TargetName name{.database = "", .table = TakeIdentifier(text)};
  if (!text.starts_with('.')) return name;
  text.remove_prefix(1);
  name.database = std::move(name.table);
  name.table = TakeIdentifier(text);
  return name;
}

bool TakeWord(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// A table that a view writes to.
struct ViewTarget {
  std::string engine;  // whole
  // Repeated rows of one key collapse in it.
  bool collapses() const { return engine.find("ReplacingMergeTree") != std::string::npos; }
  // Tables of these forms have a window by default.
  bool has_window() const {
    return engine.starts_with("Replicated") || engine.starts_with("Shared") ||
           HasDeduplicationWindow(engine);
  }
};

using Rows = std::vector<std::vector<std::string>>;

// "('a', 't'), ('b', 'u')"
std::string NameList(const std::set<TargetName>& names) {
  std::string list;
  for (const TargetName& name : names) {
    list +=
        fmt::format("{}({}, {})", list.empty() ? "" : ", ", clickhouse::QuoteString(name.database),
                    clickhouse::QuoteString(name.table));
  }
  return list;
}

struct View {
  TargetName name;
  std::string on;     // the target of the pipe
  TargetName writes;  // what it writes to
};

// The views on targets that are there. Views that are not materialized are in no table's list.
Result<std::vector<View>> ReadViews(CheckContext& context) {
  PENSTOCK_ASSIGN(const Rows rows,
                  context.destination->Rows(
                      fmt::format("SELECT name, dependency.1, dependency.2 FROM system.tables "
                                  "ARRAY JOIN arrayZip(dependencies_database, dependencies_table) "
                                  "AS dependency WHERE database = {}",
                                  clickhouse::QuoteString(context.spec.database)),
                      context.stop));
  std::vector<View> views;
  std::set<TargetName> names;
  for (const auto& row : rows) {
    if (!context.existing->tables.contains(row.at(0))) continue;
    views.push_back(
        {.name = {.database = row.at(1), .table = row.at(2)}, .on = row.at(0), .writes = {}});
    names.insert(views.back().name);
  }
  if (views.empty()) return views;
  PENSTOCK_ASSIGN(
      const Rows statements,
      context.destination->Rows(
          fmt::format("SELECT database, name, uuid, create_table_query FROM system.tables WHERE "
                      "(database, name) IN ({})",
                      NameList(names)),
          context.stop));
  std::map<TargetName, TargetName> writes;
  for (const auto& row : statements) {
    const TargetName name{.database = row.at(0), .table = row.at(1)};
    writes[name] = TargetOfView(row.at(3), name, row.at(2));
  }
  for (View& view : views) view.writes = writes[view.name];
  return views;
}

Result<std::map<TargetName, ViewTarget>> ReadTargets(CheckContext& context,
                                                     const std::vector<View>& views) {
  std::set<TargetName> names;
  for (const View& view : views) names.insert(view.writes);
  PENSTOCK_ASSIGN(const Rows rows,
                  context.destination->Rows(
                      fmt::format("SELECT database, name, if(engine_full = '', engine, "
                                  "engine_full) FROM system.tables WHERE (database, name) IN ({})",
                                  NameList(names)),
                      context.stop));
  std::map<TargetName, ViewTarget> targets;
  for (const auto& row : rows) {
    targets[{.database = row.at(0), .table = row.at(1)}] = {.engine = row.at(2)};
  }
  return targets;
}

}  // namespace

TargetName TargetOfView(std::string_view create, const TargetName& view, std::string_view uuid) {
  TargetName inner{.database = view.database,
                   .table = uuid.empty() || uuid.starts_with("00000000-")
                                ? ".inner." + view.table
                                : fmt::format(".inner_id.{}", uuid)};
  if (!TakeWord(create, "CREATE MATERIALIZED VIEW ")) return inner;
  TakeName(create);
  // A view that is refreshed says how before TO.
  const size_t to = create.find(" TO ");
  const size_t as = std::min(create.find(" AS SELECT"), create.find(" AS WITH"));
  if (to == std::string_view::npos || to > as) return inner;
  create.remove_prefix(to + std::string_view(" TO ").size());
  TargetName target = TakeName(create);
  if (target.table == "INNER") {  // TO INNER UUID '...'
    const size_t begin = create.find('\'');
    const size_t end = begin == std::string_view::npos ? begin : create.find('\'', begin + 1);
    if (end == std::string_view::npos) return inner;
    return {.database = view.database,
            .table = fmt::format(".inner_id.{}", create.substr(begin + 1, end - begin - 1))};
  }
  if (target.database.empty()) target.database = view.database;
  return target;
}

bool HasDeduplicationWindow(std::string_view engine) {
  constexpr std::string_view kSetting = "non_replicated_deduplication_window = ";
  const size_t at = engine.find(kSetting);
  return at != std::string_view::npos && !engine.substr(at + kSetting.size()).starts_with('0');
}

// They are given every insert, one that is sent again too.
void CheckMaterializedViews(CheckContext& context, std::vector<Finding>& findings) {
  if (context.existing->tables.empty()) return AddOk(findings, "no target table exists yet");
  const auto views = ReadViews(context);
  if (!views) return AddUnanswered(findings, "materialized views", views.error());
  if (views->empty()) return AddOk(findings, "no materialized view is on a target");
  const auto targets = ReadTargets(context, *views);
  if (!targets) return AddUnanswered(findings, "what views write to", targets.error());
  std::vector<std::string> names;
  std::set<std::string> without_window;
  for (const View& view : *views) {
    const auto target = targets->find(view.writes);
    const bool is_known = target != targets->end();
    if (is_known && target->second.collapses()) continue;
    const std::string written = view.writes.database + "." + view.writes.table;
    names.push_back(fmt::format("{}.{} on {}", view.name.database, view.name.table, view.on));
    if (!is_known || !target->second.has_window()) without_window.insert(written);
  }
  if (names.empty()) return AddOk(findings, "the views on targets write to ReplacingMergeTree");
  AddWarning(findings,
             fmt::format("materialized views are given changes at least once, after a crash or a "
                         "lost reply again, with higher versions: {}{}{}",
                         fmt::join(names, ", "),
                         without_window.empty() ? ""
                                                : "; without a deduplication window of their "
                                                  "own (non_replicated_deduplication_window), "
                                                  "so that not even a repeat of the same "
                                                  "bytes is dropped: ",
                         fmt::join(without_window, ", ")),
             fmt::format("Let them write to a ReplacingMergeTree by key and {}",
                         clickhouse::VersionColumn()));
}

}  // namespace penstock::pipe
