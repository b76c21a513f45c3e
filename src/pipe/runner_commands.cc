#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "mysql/wire/cut_sessions.h"
#include "mysql/wire/log_files.h"
#include "obs/log.h"
#include "pipe/deletion.h"
#include "pipe/flow_parts.h"
#include "pipe/removals.h"
#include "pipe/runner.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/table_patterns.h"
#include "pipe/target_owners.h"

// What users order of a pipe.

namespace penstock::pipe {
namespace {

// For what is left at the destination by tables that nothing waits for.
constexpr std::chrono::seconds kDropTimeout{5};

// Why a transition that a user ordered happened.
constexpr char kOrdered[] = "asked for by the user";

// Where the source does not say, it is not.
bool IsPurged(const PipeSpec& spec, const model::Position& position, std::stop_token stop) {
  auto source = mysql::Connection::Open(spec.source, spec.name + " log", stop);
  if (!source) return false;
  const auto purged = mysql::HasPurged(*source, position, std::move(stop));
  return purged && *purged;
}

}  // namespace

void Runner::RunBy(PipeSpec spec, clickhouse::Endpoint destination) {
  spec_ = std::move(spec);
  spec_.source.cut_sessions = std::make_shared<mysql::CutSessions>();
  options_.destination = std::move(destination);
  options_.destination.log_comment = StatementComment(id_);
}

// Before the end of Setup nobody knows which of the targets were there before.
Result<std::vector<catalog::RemovalRecord>> Runner::RemovalsOfAll(bool drop_targets) {
  const std::string place = PlaceOf(options_.destination.url, options_.embedded_url);
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  std::vector<GoingTable> all;
  for (size_t i = 0; i < tables.size(); ++i)
    all.push_back({.table = i, .drop_target = drop_targets});
  std::vector<catalog::RemovalRecord> removals = RemovalsOf(tables, all, place);
  if (tables.empty()) {
    for (const TableMapping& mapping : spec_.tables) {
      removals.push_back({.url = place,
                          .target = mapping.target_table,
                          .drop_target = drop_targets,
                          .only_if_empty = true});
    }
  }
  return removals;
}

Status Runner::Apply(Event command) {
  PENSTOCK_TRY(Transit(command, kOrdered));
  if (command == Event::kStart) Start();
  if (command == Event::kStop) thread_.request_stop();
  return {};
}

Status Runner::Resync(const std::vector<model::TableName>& names) {
  {
    MutexLock lock(mutex_);
    PENSTOCK_TRY(Prepare(Event::kResync, kOrdered));
    if (lifecycle_.resume == State::kResync && !names.empty()) {
      return Fail(ErrorCode::kConflict,
                  "tables are being exchanged: start the pipe first, or resync all of it");
    }
  }
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  if (tables.empty()) {
    return Fail(ErrorCode::kConflict,
                "The pipe has not been set up yet: there is nothing to resync");
  }
  std::vector<int64_t> ids;
  for (const auto& table : tables) {
    const bool named = names.empty() || std::ranges::count(names, table.definition.name) != 0;
    if (named) ids.push_back(table.id);
  }
  for (const auto& name : names) {
    const bool known = std::ranges::any_of(
        tables, [&](const auto& table) { return table.definition.name == name; });
    if (!known) {
      return Fail(ErrorCode::kInvalidArgument, "tables: {} is not mapped", name.ToString());
    }
  }
  // What runs is stopped first: it might change the state meanwhile.
  Shutdown();
  Status wanted = WantReload(ids, names.empty());
  Start();
  return wanted;
}

// A pipe that failed may have lost its place in the log: when all is loaded anew none is needed.
Status Runner::WantReload(const std::vector<int64_t>& ids, bool whole) {
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(
      const auto transition,
      Prepare(Event::kResync,
              whole ? kOrdered : fmt::format("{}, of {} tables", kOrdered, ids.size())));
  const bool anew = whole && lifecycle_.state == State::kFailed &&
                    spec_.settings.mode != ReplicationMode::kSnapshot;
  PENSTOCK_TRY(options_.catalog->WantReload(id_, ids, anew, transition));
  began_anew_ = anew;
  Entered(transition);
  return {};
}

// A pipe that was paused for longer than the source keeps its log, say, and is resynced then.
Status Runner::LoadAnewIfPurged(Status ended, std::stop_token stop) {
  if (ended || ended.error().code != ErrorCode::kNeedsUser || ended.error().origin != "source") {
    return ended;
  }
  const auto tables = options_.catalog->Tables(id_);
  const bool all_are_loaded = tables && std::ranges::all_of(*tables, [](const auto& table) {
                                return table.reload_wanted || !table.load_target.empty();
                              });
  if (!all_are_loaded) return ended;
  const auto checkpoint = options_.catalog->LoadCheckpoint(id_);
  if (!checkpoint || !IsPurged(spec_, checkpoint->position, std::move(stop))) return ended;
  MutexLock lock(mutex_);
  if (began_anew_) return ended;
  const auto transition = Prepare(
      Event::kResync,
      fmt::format("all is loaded anew, from the log as it is now: {}", ended.error().message));
  if (!transition) return ended;  // a pause was ordered
  std::vector<int64_t> ids;
  for (const auto& table : *tables) ids.push_back(table.id);
  PENSTOCK_TRY(options_.catalog->WantReload(id_, ids, /*forget_position=*/true, *transition));
  began_anew_ = true;
  Entered(*transition);
  return {};
}

// Of a pipe that has not been set up there are no records yet: its setup goes by the spec.
Result<catalog::TablesEdit> Runner::EditOf(const TablesChange& change) {
  catalog::TablesEdit edit;
  PENSTOCK_ASSIGN(const auto records, options_.catalog->Tables(id_));
  MutexLock lock(mutex_);
  if (change.added.empty() && change.removed.empty() && change.remapped.empty()) return edit;
  if (records.empty()) {
    const bool rests = lifecycle_.state == State::kPaused || lifecycle_.state == State::kFailed;
    if (rests && !change.added.empty()) {
      PENSTOCK_ASSIGN(edit.transition, Prepare(Event::kStart, "tables were added"));
    }
    return edit;
  }
  std::vector<GoingTable> going;
  for (const auto& [table, drop_target] : change.removed) {
    edit.removed.push_back(records.at(table).id);
    going.push_back({table, drop_target, spec_.tables.at(table).tells_source});
  }
  edit.removals =
      RemovalsOf(records, going, PlaceOf(options_.destination.url, options_.embedded_url));
  const auto checkpoint = options_.catalog->LoadCheckpoint(id_);
  const auto set_aside = [&](std::string why) {
    return catalog::Quarantine{.position = checkpoint ? checkpoint->position : model::Position(),
                               .reason = std::move(why),
                               .since = options_.clock->Wall()};
  };
  const bool loads_are_over =
      lifecycle_.resume == State::kRunning || lifecycle_.resume == State::kDegraded;
  for (const auto& [table, reshaped] : change.remapped) {
    if (WasRefused(records.at(table)) || (!reshaped && loads_are_over)) continue;
    edit.remapped.push_back({.table_id = records[table].id,
                             .quarantine = set_aside("its mapping was changed: it is loaded anew"),
                             .reload_wanted = true});
  }
  for (const auto& [definition, target, why_not] : change.added) {
    edit.added.push_back(
        {.definition = definition,
         .target = target,
         .ddl = "",
         .load_version_base = kLoadVersionBase,
         .quarantine = set_aside(why_not ? why_not->ToString() : "it is being added to the pipe"),
         .reload_wanted = !why_not});
  }
  if (change.added.empty() && change.removed.empty()) return edit;
  const Event event = change.added.empty() ? Event::kRemoveTables : Event::kAddTables;
  PENSTOCK_ASSIGN(auto transition,
                  Prepare(event, fmt::format("{} tables added, {} removed", edit.added.size(),
                                             edit.removed.size())));
  if (transition.to != transition.from) edit.transition = std::move(transition);
  return edit;
}

Status Runner::Edit(PipeSpec spec, clickhouse::Endpoint destination,
                    const std::vector<std::string>& fields, const TablesChange& change) {
  PENSTOCK_TRY(EditOf(change));  // refused before anything is stopped
  const std::string stored = ToStored(spec).dump();
  Shutdown();
  Status edited = EditAtRest(std::move(spec), stored, std::move(destination), fields, change);
  Start();
  return edited;
}

Status Runner::EditAtRest(PipeSpec spec, const std::string& stored,
                          clickhouse::Endpoint destination, const std::vector<std::string>& fields,
                          const TablesChange& change) {
  if (spec_.tables.size() != change.tables_before) {
    return Fail(ErrorCode::kConflict,
                "tables that fit a pattern were added meanwhile; send the change again");
  }
  PENSTOCK_ASSIGN(const auto tables, EditOf(change));
  const catalog::EventRecord event = {
      .at = options_.clock->Wall(),
      .level = "info",
      .kind = "edit",
      .text = fmt::format("changed by the user: {}", fmt::join(fields, ", "))};
  {
    MutexLock lock(mutex_);
    PENSTOCK_TRY(options_.catalog->EditPipe(id_, spec.name, stored, event, tables));
    LogInfo(spec.name, "{}", event.text);
    RunBy(std::move(spec), std::move(destination));
    options_.unusable.reset();
    updated_at_ = event.at;
    if (tables.transition) Entered(*tables.transition);
  }
  if (tables.added.empty() && tables.removed.empty() && tables.remapped.empty()) return {};
  if (const auto recalled = Recall(); !recalled) {
    LogWarning(spec_.name, "the status is not whole: {}", recalled.error().ToString());
  }
  return {};
}

// Of a pipe at rest: what cannot be done now is done when it is started.
void Runner::RemoveSoon(std::stop_token stop) {
  clickhouse::Endpoint destination = options_.destination;
  destination.idle_timeout = kDropTimeout;
  const Status done = Remove(destination, std::move(stop));
  if (!done) LogWarning(spec_.name, "what is left of tables: {}", done.error().ToString());
}

Status Runner::FinishRemovals(std::stop_token stop) {
  return Remove(options_.destination, std::move(stop));
}

Status Runner::Remove(const clickhouse::Endpoint& destination, std::stop_token stop) {
  const auto tell = [this](const std::string& text) {
    LogWarning(spec_.name, "{}", text);
    AddEvent({.at = options_.clock->Wall(), .level = "warning", .kind = "removal", .text = text});
  };
  PENSTOCK_ASSIGN(const auto waiting, DoRemovals({.catalog = options_.catalog,
                                                  .pipe_id = id_,
                                                  .spec = spec_,
                                                  .destination = destination,
                                                  .embedded_url = options_.embedded_url,
                                                  .find_kept =
                                                      [this](const auto& removals) {
                                                        return options_.others.find_kept(spec_,
                                                                                         removals);
                                                      },
                                                  .tell = tell},
                                                 std::move(stop)));
  for (const std::string& place : waiting) {
    LogWarning(spec_.name, "what is left of tables {}", WaitsFor(place));
  }
  return {};
}

}  // namespace penstock::pipe
