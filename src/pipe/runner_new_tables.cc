#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "mysql/wire/definitions.h"
#include "obs/log.h"
#include "pipe/flow_parts.h"
#include "pipe/runner.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/table_patterns.h"
#include "pipe/target_owners.h"

// Tables that come to the source while the pipe is there, and fit one of its patterns
// (autoAddTables). The stream tells of those that are made; what was made while the pipe rested is
// found at its start. Both only have the source listed again: so none is missed, or added twice,
// wherever the process dies.

namespace penstock::pipe {

// What is acknowledged is not read again: should this process die now, the next lists anyway.
void Runner::OnMade(const model::Position& end, std::stop_source& rest) {
  {
    MutexLock lock(mutex_);
    listing_due_ = true;
    made_to_ = end;
  }
  rest.request_stop();
}

// What does not pass by itself is told, and holds up no table.
Status Runner::AddNewTables(std::stop_token stop) {
  const State now = state();
  const bool takes_tables =
      now == State::kSnapshot || now == State::kRunning || now == State::kDegraded;
  if (!spec_.settings.auto_add_tables || !HasPatterns(spec_) || !takes_tables) return {};
  {
    MutexLock lock(mutex_);
    if (!listing_due_) return {};
  }
  Status added = AddListed(stop);
  if (!added && (Passes(added.error().code) || stop.stop_requested())) return added;
  if (!added && added.error().code == ErrorCode::kConflict) return {};  // it was just paused
  {
    MutexLock lock(mutex_);
    listing_due_ = false;
    made_to_.reset();
  }
  if (added) return {};
  const std::string text = fmt::format("new tables cannot be added: {}", added.error().ToString());
  LogWarning(spec_.name, "{}", text);
  AddEvent({.at = options_.clock->Wall(), .level = "warning", .kind = "edit", .text = text});
  return {};
}

Status Runner::AddListed(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec_.source, spec_.name + " tables", stop));
  std::optional<model::Position> made_to;
  {
    MutexLock lock(mutex_);
    made_to = made_to_;
  }
  if (made_to) {
    PENSTOCK_ASSIGN(const bool shown, Shows(source, *made_to, stop));
    if (!shown) {
      return Fail(ErrorCode::kRetry, "the source does not show yet the tables it has logged");
    }
  }
  PENSTOCK_ASSIGN(const auto listed, ListForPatterns(source, spec_, stop));
  PipeSpec with_new = spec_;
  for (TableMapping& table : NewTables(spec_, listed)) with_new.tables.push_back(std::move(table));
  PENSTOCK_ASSIGN(const auto records, options_.catalog->Tables(id_));
  MarkShards(with_new, spec_.tables.size(), RefusedOf(records));
  const std::vector<TableMapping> tables(
      with_new.tables.begin() + static_cast<std::ptrdiff_t>(spec_.tables.size()),
      with_new.tables.end());
  if (tables.empty()) return {};
  std::vector<model::TableName> names;
  names.reserve(tables.size());
  for (const TableMapping& table : tables) names.push_back(table.source);
  PENSTOCK_ASSIGN(auto definitions, mysql::ReadDefinitions(source, names, stop));
  return options_.others.claim([&] { return StoreListed(tables, std::move(definitions)); });
}

Status Runner::StoreListed(const std::vector<TableMapping>& tables, Definitions definitions) {
  PipeSpec spec = spec_;
  TablesChange change;
  std::vector<std::string> added;
  for (const TableMapping& table : tables) {
    const auto definition = definitions.find(table.source);
    if (definition == definitions.end()) continue;  // gone already
    change.added.push_back(
        {.definition = std::move(definition->second), .target = table.target_table});
    spec.tables.push_back(table);
    added.push_back(table.source.ToString());
  }
  if (added.empty()) return {};
  PENSTOCK_ASSIGN(const auto records, options_.catalog->Tables(id_));
  PENSTOCK_ASSIGN(const auto taken, options_.others.find_taken(spec, TargetsOf(spec.tables)));
  for (auto& [place, why] : FindRefused(spec, records, taken)) {
    if (place >= records.size()) change.added[place - records.size()].why_not = std::move(why);
  }
  PENSTOCK_ASSIGN(const auto edit, EditOf(change));
  const catalog::EventRecord event = {
      .at = options_.clock->Wall(),
      .level = "info",
      .kind = "edit",
      .text = fmt::format("new tables that fit a pattern: {}", fmt::join(added, ", "))};
  MutexLock lock(mutex_);
  PENSTOCK_TRY(options_.catalog->EditPipe(id_, spec.name, ToStored(spec).dump(), event, edit));
  LogInfo(spec.name, "{}", event.text);
  spec_ = std::move(spec);
  updated_at_ = event.at;
  if (edit.transition) Entered(*edit.transition);
  return {};
}

}  // namespace penstock::pipe
