#include <algorithm>
#include <utility>

#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "pipe/deletion.h"
#include "pipe/kept_rows.h"
#include "pipe/runner.h"

// Pipes of replicationMode snapshot.

namespace penstock::pipe {

Status Runner::LoadOnce(std::stop_token stop) {
  while (true) {
    switch (state()) {
      case State::kSetup:
        PENSTOCK_TRY(Retry(
            "setup",
            [&]() -> Status {
              PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
              PENSTOCK_ASSIGN(const auto reload, PrepareWholeReload(spec_, tables, stop));
              return BeginReload(reload);
            },
            stop));
        break;
      case State::kSnapshot:
        PENSTOCK_TRY(Retry(
            "load", [&] { return LoadWhole(stop); }, stop));
        break;
      case State::kResync:
        return Retry(
            "resync", [&] { return EndReload(stop); }, stop);
      default:
        return stop.stop_requested() ? Status(Fail(ErrorCode::kCancelled, "stopped")) : Status();
    }
  }
}

// One attempt at a load that no stream heals, or what is left of one that was whole.
Status Runner::LoadWhole(std::stop_token stop) {
  catalog::Catalog& catalog = *options_.catalog;
  OnRetry("snapshot", nullptr);
  PENSTOCK_ASSIGN(auto tables, catalog.Tables(id_));
  std::erase_if(tables, IsWhole);
  if (!tables.empty()) {
    PENSTOCK_TRY(catalog.BeginLoad(NewLoadTargets(tables)));
    PENSTOCK_ASSIGN(const auto recalled, Recall());
    PENSTOCK_TRY(MakeLoadTargets(options_.destination, spec_, *recalled.tables, stop));
    PENSTOCK_TRY(Load(recalled, std::nullopt, stop));
    clickhouse::Client client(options_.destination);
    PENSTOCK_ASSIGN(tables, catalog.Tables(id_));
    std::erase_if(tables, IsWhole);
    for (const auto& [target, shards] : SharedLoads(spec_, tables)) {
      PENSTOCK_TRY(pipe::CarryOver(client, spec_.database, shards, stop));
    }
    PENSTOCK_ASSIGN(const auto loaded, LoadedTargets(client, spec_.database, tables, stop));
    PENSTOCK_TRY(catalog.EndLoad(loaded));
  }
  return PutFirstInPlace(std::move(stop));
}

// Those whose targets were empty; others replace rows, in a step of their own.
Status Runner::PutFirstInPlace(std::stop_token stop) {
  catalog::Catalog& catalog = *options_.catalog;
  PENSTOCK_ASSIGN(auto tables, catalog.Tables(id_));
  const bool anew = std::ranges::any_of(tables, &catalog::TableRecord::reload_wanted);
  std::erase_if(tables,
                [](const auto& table) { return table.reload_wanted || table.load_target.empty(); });
  Status in_place =
      PutInPlace(options_.destination, spec_.database, tables, TargetRows::kNone, stop);
  if (!in_place && in_place.error().code == ErrorCode::kNotFound) {
    return LoadAllAgain(in_place.error().message, std::move(stop));
  }
  PENSTOCK_TRY(in_place);
  std::vector<int64_t> ids;
  for (const auto& table : tables) ids.push_back(table.id);
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(
      const auto transition,
      anew ? Prepare(Event::kLoadedAside, "every partition is loaded, beside the targets")
           : Prepare(Event::kLoaded, "every partition is loaded"));
  PENSTOCK_TRY(catalog.EndReload(id_, ids, transition));
  Entered(transition);
  return {};
}

// What was asked for and may still be done is ended first, so that it is known what is in place.
Status Runner::LoadAllAgain(const std::string& why, std::stop_token stop) {
  clickhouse::Endpoint destination = options_.destination;
  destination.log_comment.clear();
  clickhouse::Client client(std::move(destination));
  Status ended = clickhouse::EndStatements(client, StatementComment(id_), *options_.clock, stop);
  if (!ended && ended.error().native_code != clickhouse::kErrAccessDenied) return ended;
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  PENSTOCK_ASSIGN(const auto reload, PrepareLoadAgain(client, spec_.database, tables, stop));
  return StoreReload(reload, Event::kResyncDue, why + ": all that was loaded is loaded again");
}

}  // namespace penstock::pipe
