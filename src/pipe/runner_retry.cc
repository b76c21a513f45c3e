#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "clickhouse/errors.h"
#include "clickhouse/shard_rows.h"
#include "mysql/wire/start_position.h"
#include "pipe/flow_parts.h"
#include "pipe/kept_rows.h"
#include "pipe/named_commands.h"
#include "pipe/runner.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/target_tables.h"

// Quarantined tables that are followed again.

namespace penstock::pipe {
namespace {

// The destination is asked while the user waits.
constexpr std::chrono::seconds kAnswerTimeout{5};

// Of batches on record, which tell what was written.
constexpr size_t kBatchesMax = 10'000;

// After a rest that was in vain.
constexpr std::chrono::seconds kRestPause{60};

Failure MustBeResynced(const catalog::TableRecord& table, std::string_view why) {
  return Fail(Error{
      .code = ErrorCode::kConflict,
      .message = fmt::format("{} cannot be retried: {}", table.definition.name.ToString(), why),
      .origin = {},
      .native_code = 0,
      .remedy = "Resync the table (penstock resync)"});
}

Status CheckMayRetry(const catalog::TableRecord& table) {
  if (!table.quarantine) {
    return Fail(ErrorCode::kConflict, "{} is not quarantined", table.definition.name.ToString());
  }
  if (table.reload_wanted || !table.load_target.empty()) {
    return Fail(ErrorCode::kConflict, "{} is being resynced already",
                table.definition.name.ToString());
  }
  if (table.ddl.empty()) {
    return Fail(ErrorCode::kConflict, "{} cannot be retried: it was never loaded: {}",
                table.definition.name.ToString(), table.quarantine->reason);
  }
  return {};
}

// What was written of tables, by their ids, and what there is of their targets.
struct Written {
  std::set<int64_t> in_part;  // their loads did not come to their ends
  std::set<int64_t> filled;   // rows were
  std::map<std::string, ExistingTable> targets;
  std::set<int64_t> without_rows;  // their targets hold none of them
};

// A target that others share may hold rows of theirs alone.
Result<bool> HasNoRows(clickhouse::Client& client, const PipeSpec& spec,
                       const catalog::TableRecord& table, const ExistingTable& target) {
  if (target.rows == "0") return true;
  const auto mapping = std::ranges::find(spec.tables, table.definition.name, &TableMapping::source);
  if (mapping == spec.tables.end()) return false;
  const auto shard = typemap::ShardOf(table.definition, TargetOptionsOf(spec, *mapping));
  if (!shard) return false;
  return client
      .Rows(fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1",
                        clickhouse::QuoteTable(spec.database, table.target),
                        clickhouse::IsOfShard(*shard)),
            {})
      .map([](const auto& rows) { return rows.empty(); });
}

// At once for all: the user waits.
Result<Written> FindWritten(catalog::Catalog& catalog, const std::string& pipe_id,
                            const clickhouse::Endpoint& destination, const PipeSpec& spec,
                            const std::vector<catalog::TableRecord>& tables) {
  Written written;
  PENSTOCK_ASSIGN(const auto partitions, catalog.Partitions(pipe_id));
  for (const auto& partition : partitions) {
    if (!partition.done) written.in_part.insert(partition.table_id);
    if (partition.rows != 0) written.filled.insert(partition.table_id);
  }
  PENSTOCK_ASSIGN(const auto batches, catalog.Batches(pipe_id, kBatchesMax));
  for (const auto& batch : batches) {
    for (const auto& table : batch.changes) written.filled.insert(table.table_id);
  }
  std::vector<std::string> targets;
  for (const auto& table : tables) {
    if (!table.partitions_planned) written.in_part.insert(table.id);
    targets.push_back(table.target);
  }
  clickhouse::Endpoint asked = destination;
  asked.idle_timeout = kAnswerTimeout;
  clickhouse::Client client(std::move(asked));
  PENSTOCK_ASSIGN(written.targets, ReadExistingTables(client, spec.database, targets, {}));
  for (const auto& table : tables) {
    const auto target = written.targets.find(table.target);
    if (target == written.targets.end() || !written.filled.contains(table.id)) continue;
    PENSTOCK_ASSIGN(const bool none, HasNoRows(client, spec, table, target->second));
    if (none) written.without_rows.insert(table.id);
  }
  return written;
}

// What was loaded and followed before must be there.
Status CheckTarget(const catalog::TableRecord& table, const Written& written) {
  if (written.in_part.contains(table.id)) {
    return MustBeResynced(table, "its load did not come to its end");
  }
  if (!written.targets.contains(table.target)) {
    return MustBeResynced(table, "its target is gone");
  }
  if (written.without_rows.contains(table.id)) {
    return MustBeResynced(table, "its target has lost its rows");
  }
  return {};
}

bool IsRetrying(const catalog::TableRecord& table) {
  return table.quarantine && table.quarantine->retrying;
}

}  // namespace

Status Runner::RetryTables(const std::vector<model::TableName>& names) {
  PENSTOCK_ASSIGN(const auto ids, TablesToRetry(names));
  // What runs is stopped for a moment, and goes on with them. A load goes on first.
  bool begins = LoadsAreOver();
  if (begins) Shutdown();
  Status wanted = options_.catalog->WantRetry(
      id_, ids,
      {.at = options_.clock->Wall(),
       .level = "info",
       .kind = "quarantine",
       .text = fmt::format("{} tables are retried: their log is read again", ids.size())});
  {
    MutexLock lock(mutex_);
    if (wanted && journal_) journal_->BeginRetry(ids);
  }
  // Where the load was over before its end could see them, nothing else begins them.
  if (!begins && wanted && LoadsAreOver()) {
    begins = true;
    Shutdown();
  }
  if (begins) {
    retry_rests_from_ = {};
    Start();
  }
  return wanted;
}

// All, where none is named, that can be; if none can, why not.
Result<std::vector<int64_t>> Runner::TablesToRetry(const std::vector<model::TableName>& names) {
  clickhouse::Endpoint destination;
  PipeSpec spec;
  {
    MutexLock lock(mutex_);
    destination = options_.destination;
    spec = spec_;
  }
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  for (const auto& name : names) {
    const auto is_it = [&](const auto& table) { return table.definition.name == name; };
    if (std::ranges::none_of(tables, is_it)) {
      return Fail(ErrorCode::kInvalidArgument, "tables: {} is not mapped", name.ToString());
    }
  }
  Status refused = Fail(ErrorCode::kConflict, "No table of the pipe is quarantined");
  const auto named_in = [&](Status may, const catalog::TableRecord& table) {
    if (may) return may;
    may.error().remedy =
        WithCommands(std::move(may.error().remedy), spec.name, table.definition.name,
                     table.quarantine && table.quarantine->gone);
    return may;
  };
  std::vector<catalog::TableRecord> wanted;
  for (const auto& table : tables) {
    const bool named = std::ranges::count(names, table.definition.name) != 0;
    if (!named && (!names.empty() || !table.quarantine)) continue;
    Status may = named_in(CheckMayRetry(table), table);
    if (!may && named) return Fail(std::move(may).error());
    if (may) wanted.push_back(table);
    if (!may) refused = std::move(may);
  }
  std::vector<int64_t> ids;
  if (!wanted.empty()) {
    PENSTOCK_ASSIGN(const auto written,
                    FindWritten(*options_.catalog, id_, destination, spec, wanted));
    for (const auto& table : wanted) {
      Status may = named_in(CheckTarget(table, written), table);
      if (!may && !names.empty()) return Fail(std::move(may).error());
      if (may) ids.push_back(table.id);
      if (!may) refused = std::move(may);
    }
  }
  if (ids.empty()) return Fail(std::move(refused).error());
  return ids;
}

Status Runner::Settle(std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto inserts, options_.catalog->Inserts(id_));
  PENSTOCK_ASSIGN(const auto unsettled,
                  SettleInserts(*options_.catalog, inserts, options_.destination, spec_.database,
                                *options_.clock, std::move(stop)));
  return unsettled.empty() ? Status() : SetAside(unsettled);
}

// Tables of which it cannot be known what they hold, from here on. Where the position was
// forgotten, all are loaded anew, and none goes on with what it holds.
Status Runner::SetAside(const std::vector<UnsettledInsert>& unsettled) {
  auto stored = options_.catalog->LoadCheckpoint(id_);
  if (!stored && stored.error().code == ErrorCode::kNotFound) return {};
  PENSTOCK_ASSIGN(const auto checkpoint, std::move(stored));
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  catalog::CheckpointNews news;
  for (const auto& [table_id, error] : unsettled) {
    const auto table = std::ranges::find(tables, table_id, &catalog::TableRecord::id);
    if (table == tables.end() || (table->quarantine && !IsRetrying(*table))) continue;
    catalog::QuarantineRecord record{
        .table_id = table_id,
        .quarantine = {.position = checkpoint.position,
                       .reason = error.In("what became of an insert").ToString(),
                       .since = options_.clock->Wall()}};
    if (table->quarantine) {
      record.quarantine.position = table->quarantine->position;
    } else {
      record.part = PartAfter(checkpoint, table_id);
    }
    news.quarantines.push_back(std::move(record));
  }
  return news.quarantines.empty() ? Status()
                                  : options_.catalog->SaveCheckpoint(id_, checkpoint, news);
}

// Loads beside a target that stays, since another's load failed, are given up, also those that are
// whole. That target lacks what was done since to those that were not written to it too.
Status Runner::SetAsideBroken(const std::vector<catalog::TableRecord>& tables) {
  const auto broken = BrokenTargets(tables);
  PENSTOCK_ASSIGN(const auto checkpoint, options_.catalog->LoadCheckpoint(id_));
  catalog::CheckpointNews news;
  for (const auto& table : tables) {
    const bool stays = table.load_target.empty() || table.keeps_target_fresh || table.quarantine;
    if (stays || !broken.contains(table.target)) continue;
    news.quarantines.push_back(
        {.table_id = table.id,
         .quarantine = {.position = checkpoint.position,
                        .reason = fmt::format("the load of another table that shares its target {} "
                                              "failed. Mend that one, then resync the table",
                                              table.target),
                        .since = options_.clock->Wall()}});
  }
  if (!news.quarantines.empty()) {
    PENSTOCK_TRY(options_.catalog->SaveCheckpoint(id_, checkpoint, news));
  }
  return options_.catalog->EndLoad(GivenUp(tables, broken));
}

// Where rows do not fit, the target stays: a table of it is fenced, as where its load fails; one
// that has not kept the target fresh would not go on anyway.
Status Runner::CarryOver(const Recalled& recalled, std::vector<catalog::TableRecord>& tables,
                         std::stop_token stop) {
  clickhouse::Client client(options_.destination);
  for (const auto& [target, shards] : SharedLoads(spec_, tables)) {
    Status carried = Retry(
        "resync",
        [&, &those = shards] { return pipe::CarryOver(client, spec_.database, those, stop); },
        stop);
    if (carried) continue;
    if (!clickhouse::ConcernsOneTable(carried.error())) return carried;
    const auto fenced =
        std::ranges::min_element(shards, {}, &catalog::TableRecord::keeps_target_fresh);
    const auto place = std::ranges::find(*recalled.tables, fenced->id, &catalog::TableRecord::id) -
                       recalled.tables->begin();
    recalled.fence_requests->Add(static_cast<size_t>(place), carried.error());
    PENSTOCK_TRY(recalled.journal->AwaitQuarantine(static_cast<size_t>(place), stop));
    std::erase_if(tables, [&, &name = target](const auto& table) { return table.target == name; });
  }
  return {};
}

std::unique_ptr<TableRetry> Runner::BeginRetry(const Recalled& recalled, std::stop_token stop) {
  if (!LoadsAreOver() || std::ranges::none_of(*recalled.tables, IsRetrying)) {
    OnRetry("retry", nullptr);
    return nullptr;
  }
  auto options = RetryOptionsFor(StreamOptionsOf(recalled), id_);
  options.on_log_retry = [this](const Error* error) { OnRetry("retry", error); };
  options.on_insert_retry = [this](const Error* error) { OnRetry("retry inserts", error); };
  options.on_reread_retry = [this](const Error* error) { OnRetry("retry rereads", error); };
  return std::make_unique<TableRetry>(TableRetry::Options{
      .stream = std::move(options),
      .plan = [this, journal = recalled.journal,
               mechanism = recalled.checkpoint.position.mechanism](
                  std::stop_token stopped) { return PlanRetry(*journal, mechanism, stopped); },
      .journal = recalled.journal.get(),
      .rests_from = retry_rests_from_,
      .rest = [rest = recalled.rest] { rest->request_stop(); },
      .stop = std::move(stop)});
}

// What an earlier session left unsettled is settled first.
Result<TableRetry::Plan> Runner::PlanRetry(Journal& journal, model::Mechanism mechanism,
                                           std::stop_token stop) {
  PENSTOCK_ASSIGN(auto records, options_.catalog->Tables(id_));
  PENSTOCK_TRY(SettleRetried(journal, records, stop));
  PENSTOCK_ASSIGN(records, options_.catalog->Tables(id_));
  TableRetry::Plan plan;
  std::vector<size_t> otherwise;  // followed
  std::optional<model::Position> from;
  for (size_t i = 0; i < records.size(); ++i) {
    if (!IsRetrying(records[i])) continue;
    const model::Position& position = records[i].quarantine->position;
    const bool alike = position.mechanism == mechanism;
    (alike ? plan.retried : otherwise).push_back(i);
    if (alike && (!from || mysql::Reaches(*from, position))) from = position;
  }
  PENSTOCK_TRY(journal.FailRetry(
      otherwise, {.code = ErrorCode::kNeedsUser,
                  .message = "the log was followed by another mechanism (GTID, file) by then",
                  .origin = {},
                  .native_code = 0,
                  .remedy = "Resync the table (penstock resync)"}));
  if (!from) return plan;
  plan.from = *std::move(from);
  // Those of another history wait for the next.
  std::erase_if(plan.retried, [&](size_t i) {
    return !mysql::Reaches(records[i].quarantine->position, plan.from);
  });
  plan.tables = StreamTables(spec_, records);
  std::vector<std::string> targets;
  for (size_t i = 0; i < plan.tables.size(); ++i) {
    stream::StreamTable& table = plan.tables[i];
    table.quarantined = std::ranges::count(plan.retried, i) == 0;
    if (table.quarantined) continue;
    auto followed = FollowedFrom(records[i], records[i].quarantine->position);
    table.start = std::move(followed.start);
    table.start_part = std::move(followed.start_part);
    targets.push_back(table.target);
  }
  clickhouse::Client client(options_.destination);
  PENSTOCK_ASSIGN(const uint64_t highest,
                  HighestVersion(client, spec_.database, targets, std::move(stop)));
  journal.RaiseVersions(highest + 1);
  return plan;
}

Status Runner::SettleRetried(Journal& journal, const std::vector<catalog::TableRecord>& tables,
                             std::stop_token stop) {
  PENSTOCK_ASSIGN(auto inserts, options_.catalog->Inserts(id_));
  const auto table_of = [&](int64_t id) {
    return std::ranges::find(tables, id, &catalog::TableRecord::id) - tables.begin();
  };
  std::erase_if(inserts, [&](const catalog::InsertRecord& insert) {
    return !IsRetrying(tables.at(static_cast<size_t>(table_of(insert.table_id))));
  });
  PENSTOCK_ASSIGN(const auto unsettled,
                  SettleInserts(*options_.catalog, inserts, options_.destination, spec_.database,
                                *options_.clock, std::move(stop)));
  for (const auto& [table_id, error] : unsettled) {
    PENSTOCK_TRY(journal.FailRetry({static_cast<size_t>(table_of(table_id))},
                                   error.In("what became of an insert")));
  }
  return {};
}

Status Runner::EndRetry(TableRetry& retry, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto checkpoint, options_.catalog->LoadCheckpoint(id_));
  const auto reached = retry.Meet(checkpoint.position, stop);
  std::error_code ignored;  // a later session holds anew what it reads
  std::filesystem::remove_all(RetryFolder(options_.prepared_folder), ignored);
  if (!reached) {
    const bool in_vain = retry.asked() && !stop.stop_requested();
    if (in_vain) retry_rests_from_ = options_.clock->Steady() + kRestPause;
    return {};
  }
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  std::vector<catalog::FollowedRecord> followed;
  std::string names;
  for (const size_t i : retry.retried()) {
    if (!IsRetrying(tables.at(i))) continue;
    model::Position position = *reached;
    mysql::Join(position, tables[i].quarantine->position);
    followed.push_back(FollowedFrom(tables[i], position));
    names += (names.empty() ? "" : ", ") + tables[i].definition.name.ToString();
  }
  if (followed.empty()) return {};
  return options_.catalog->EndRetry(
      id_, followed,
      {.at = options_.clock->Wall(),
       .level = "info",
       .kind = "quarantine",
       .text = fmt::format("followed again, from {} on: {}", reached->ToString(), names)});
}

}  // namespace penstock::pipe
