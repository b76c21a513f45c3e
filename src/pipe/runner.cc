#include "pipe/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/backoff.h"
#include "obs/log.h"
#include "pipe/flow_parts.h"
#include "pipe/lost_transactions.h"
#include "pipe/open_snapshot.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/table_patterns.h"
#include "pipe/whole_load.h"
#include "stream/stream.h"

namespace penstock::pipe {
namespace {

// Before a snapshot that was lost is opened again.
constexpr std::chrono::seconds kSnapshotPause{1};

// No more are kept.
constexpr size_t kBatchesMax = 10'000;

}  // namespace

Runner::Runner(const catalog::PipeRecord& record, PipeSpec spec, Options options)
    : options_(std::move(options)),
      id_(record.id),
      created_at_(record.created_at),
      reason_(record.reason),
      state_since_(record.state_since),
      updated_at_(record.updated_at) {
  RunBy(std::move(spec), std::move(options_.destination));
  lifecycle_.state = ParseState(record.state).value_or(State::kFailed);
  lifecycle_.resume = ParseState(record.resume_state).value_or(lifecycle_.state);
}

Runner::~Runner() { Shutdown(); }

void Runner::Start() {
  if (thread_.joinable()) thread_.join();
  RecallIfNew();
  {
    MutexLock lock(mutex_);
    shutdown_ = std::stop_source();
    listing_due_ = true;
    if (journal_) journal_->ForgetLag();
  }
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void Runner::RequestShutdown() {
  {
    MutexLock lock(mutex_);
    shutdown_.request_stop();
  }
  thread_.request_stop();
}

void Runner::Shutdown() {
  RequestShutdown();
  if (thread_.joinable()) thread_.join();
}

void Runner::Run(std::stop_token stop) {
  const std::jthread watching([this](std::stop_token ended) { WatchAttention(std::move(ended)); });
  // What passes by itself (a full disk of the catalog, say) is tried again from the stored state.
  Status status;
  Backoff backoff;
  while (true) {
    status = Work(stop);
    if (status || !Passes(status.error().code)) break;
    OnRetry(status.error().origin == "catalog" ? "catalog" : "stream", &status.error());
    LogWarning(spec_.name, "{}; trying again", status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) break;
  }
  Conclude(status);
}

void Runner::Conclude(const Status& status) {
  Backoff backoff;
  while (true) {
    std::stop_token shutdown;
    State state{};
    {
      MutexLock lock(mutex_);
      shutdown = shutdown_.get_token();
      state = lifecycle_.state;
    }
    if (shutdown.stop_requested()) return;
    // A failure while pausing still counts: resuming would only meet it again.
    const bool failed =
        !status && status.error().code != ErrorCode::kCancelled && !Passes(status.error().code);
    Status stored;
    if (failed) {
      LogError(spec_.name, "{}", status.error().ToString());
      stored = Transit(Event::kFailed, status.error().ToString());
      MutexLock lock(mutex_);
      if (stored) ++errors_[{std::string(kWholePipe), status.error().code}];
    } else if (state == State::kPausing) {
      stored = Transit(Event::kSettled, "nothing is in flight, the position is saved");
    }
    if (stored) break;
    OnRetry("catalog", &stored.error());
    LogError(spec_.name, "the state cannot be stored: {}", stored.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), shutdown)) return;
  }
  MutexLock lock(mutex_);
  retrying_.clear();
}

Status Runner::Work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    State state{};
    {
      MutexLock lock(mutex_);
      state = lifecycle_.state;
    }
    if (options_.unusable && IsWorking(state)) return Fail(*options_.unusable);
    if (IsWorking(state)) {
      PENSTOCK_TRY(Retry(
          "removal", [&] { return FinishRemovals(stop); }, stop));
    }
    switch (state) {
      case State::kModifying:
        PENSTOCK_TRY(Transit(Event::kModified, "the tables are removed"));
        break;
      case State::kProvisioning:
        PENSTOCK_TRY(Retry(
            "provisioning", [&] { return Provision(stop); }, stop));
        PENSTOCK_TRY(Transit(Event::kProvisioned, "both servers answer"));
        break;
      case State::kSetup: {
        PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
        if (!tables.empty()) return Flow(stop);
        PENSTOCK_TRY(Retry(
            "setup", [&] { return Setup(stop); }, stop));
        break;
      }
      case State::kSnapshot:
      case State::kResync:
      case State::kRunning:
      case State::kDegraded:
        return Flow(stop);
      default:
        RemoveSoon(stop);
        return {};
    }
  }
  return Fail(ErrorCode::kCancelled, "stopped");
}

Status Runner::Provision(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source,
                  mysql::Connection::Open(spec_.source, spec_.name + " provisioning", stop));
  PENSTOCK_TRY(source.Execute("SELECT 1", stop));
  return clickhouse::Client(options_.destination).Query("SELECT 1", {}, stop).map([](auto) {});
}

Status Runner::Setup(std::stop_token stop) {
  const auto on_wait = [this](const Error& error) { OnRetry("setup", &error); };
  PENSTOCK_ASSIGN(auto result, SetUp(spec_, options_.destination, *options_.clock, on_wait, stop));
  if (!result.database_ddl.empty()) {
    AddEvent({.at = options_.clock->Wall(),
              .level = "info",
              .kind = "ddl",
              .text = result.database_ddl});
  }
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(const auto transition,
                  Prepare(Event::kSetUp, fmt::format("{} tables are ready in the database {}",
                                                     result.tables.size(), spec_.database)));
  PENSTOCK_TRY(options_.catalog->FinishSetup(id_, result.tables, result.start, transition));
  Entered(transition);
  return {};
}

Result<Runner::Recalled> Runner::Recall() {
  PENSTOCK_ASSIGN(const auto checkpoint, options_.catalog->LoadCheckpoint(id_));
  PENSTOCK_ASSIGN(auto records, options_.catalog->Tables(id_));
  const auto tables = std::make_shared<const std::vector<catalog::TableRecord>>(std::move(records));
  PENSTOCK_ASSIGN(const auto batches, options_.catalog->Batches(id_, 1));
  PENSTOCK_ASSIGN(const auto changes, options_.catalog->ValueChanges(id_));
  PENSTOCK_ASSIGN(auto partitions, options_.catalog->Partitions(id_));
  PENSTOCK_ASSIGN(auto load_tables, LoadTables(spec_, *tables, std::move(partitions)));
  StreamProgress before;
  {
    MutexLock lock(mutex_);
    if (journal_) before = ProgressOf(*tables);
  }
  auto rest = std::make_shared<std::stop_source>();
  auto journal = std::make_shared<Journal>(
      Journal::Options{.catalog = options_.catalog,
                       .clock = options_.clock,
                       .pipe_id = id_,
                       .database = spec_.database,
                       .cluster = spec_.cluster,
                       .checkpoint = checkpoint,
                       .last_batch_number = batches.empty() ? 0 : batches[0].number,
                       .tables = *tables,
                       .changes = changes,
                       .before = std::move(before),
                       .on_quarantine = [this, rest] { OnQuarantine(*rest); },
                       .on_made = [this, rest](const auto& end) { OnMade(end, *rest); },
                       .on_flowing = [this] { OnRetry("catalog", nullptr); },
                       .on_warning =
                           [this](const std::string& warning) {
                             LogWarning(spec_.name, "{}", warning);
                             AddEvent({.at = options_.clock->Wall(),
                                       .level = "warning",
                                       .kind = "retention",
                                       .text = warning});
                           }});
  auto options =
      LoaderOptionsFor(spec_, options_.destination, options_.memory, load_tables, checkpoint);
  options.partition_budget = options_.partition_budget;
  options.clock = options_.clock;
  options.traffic = snapshot_traffic_;
  options.on_opened = [this](auto how, size_t count) { OnSnapshotOpened(how, count); };
  options.on_retry = [this](const Error* error) { OnRetry("snapshot", error); };
  options.on_taken_back = [this](const auto& table, const auto& why) { OnTakenBack(table, why); };
  auto fence_requests = std::make_shared<stream::FenceRequests>();
  if (!options.consistent) {
    options.on_table_failed = [fence_requests, journal](size_t table, const Error& error,
                                                        std::stop_token stop) {
      fence_requests->Add(table, error);
      return journal->AwaitQuarantine(table, std::move(stop));
    };
  }
  auto loader =
      std::make_shared<snapshot::Loader>(std::move(load_tables), std::move(options), journal.get());
  auto watch = std::make_shared<LoadWatch>(loader, spec_.name, options_.clock);
  MutexLock lock(mutex_);
  tables_ = tables;
  journal_ = journal;
  loader_ = loader;
  watch_ = watch;
  return Recalled{.tables = tables,
                  .checkpoint = checkpoint,
                  .journal = std::move(journal),
                  .loader = std::move(loader),
                  .watch = std::move(watch),
                  .fence_requests = std::move(fence_requests),
                  .rest = std::move(rest)};
}

// What the journal knows, in the order of `tables`: some may be new, and others gone.
StreamProgress Runner::ProgressOf(const std::vector<catalog::TableRecord>& tables) const {
  StreamProgress progress = journal_->progress();
  std::map<int64_t, StreamProgress::Table> by_id;
  for (size_t i = 0; i < tables_->size(); ++i) {
    by_id[tables_->at(i).id] = std::move(progress.tables[i]);
  }
  progress.tables.clear();
  for (const auto& table : tables) progress.tables.push_back(std::move(by_id[table.id]));
  return progress;
}

// A pipe that is not working, perhaps never again, has a status too.
void Runner::RecallIfNew() {
  {
    MutexLock lock(mutex_);
    if (journal_) return;
  }
  const auto recalled = Recall();
  if (recalled || recalled.error().code == ErrorCode::kNotFound) return;
  LogWarning(spec_.name, "the status is not whole: {}", recalled.error().ToString());
}

// From the end of Setup on. The stream flows beside whatever is done, but for two steps of a
// resync.
Status Runner::Flow(std::stop_token stop) {
  if (spec_.settings.mode == ReplicationMode::kSnapshot) return LoadOnce(std::move(stop));
  Backoff backoff;
  while (true) {
    const State now = state();
    PENSTOCK_TRY(Retry(
        "inserts", [&] { return Settle(stop); }, stop));
    std::optional<std::chrono::milliseconds> wait;
    if (Status done = StepAtRest(now, stop); done) {
      OnRetry("resync", nullptr);
      if (state() == State::kSetup) continue;
    } else if (!Passes(done.error().code)) {
      return done;
    } else {
      OnRetry("resync", &done.error());
      LogWarning(spec_.name, "resync: {}; trying again", done.error().ToString());
      wait = backoff.Next();
    }
    if (wait && now == State::kResync) {
      // Which of two tables has which name is not known: nothing may be written by it.
      if (!options_.clock->Wait(*wait, stop)) return Fail(ErrorCode::kCancelled, "stopped");
    } else {
      PENSTOCK_TRY(LoadAnewIfPurged(Stream(wait, stop), stop));
    }
  }
}

State Runner::state() const {
  MutexLock lock(mutex_);
  return lifecycle_.state;
}

// The step that needs the stream at rest, where there is one.
Status Runner::StepAtRest(State now, std::stop_token stop) {
  if (now == State::kSetup) PENSTOCK_TRY(BeginReload(stop));
  if (now == State::kResync) PENSTOCK_TRY(EndReload(stop));
  PENSTOCK_TRY(AddNewTables(std::move(stop)));
  return HealIfDue();
}

Result<std::string> Runner::TablesToHeal() {
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  std::string names;
  for (const auto& table : tables) {
    if (!table.quarantine || !table.reload_wanted) continue;
    names += (names.empty() ? "" : ", ") + table.definition.name.ToString();
  }
  return names;
}

Status Runner::HealIfDue() {
  const State now = state();
  if (now != State::kSnapshot && now != State::kRunning && now != State::kDegraded) return {};
  PENSTOCK_ASSIGN(const std::string names, TablesToHeal());
  if (names.empty()) return {};
  return Transit(Event::kResyncDue, "resynced by itself: " + names);
}

Status Runner::BeginReload(std::stop_token stop) {
  catalog::Catalog& catalog = *options_.catalog;
  PENSTOCK_ASSIGN(const auto tables, catalog.Tables(id_));
  PENSTOCK_ASSIGN(const auto partitions, catalog.Partitions(id_));
  ReloadFrom from;
  for (const auto& table : tables) {
    if (!table.partitions_planned) from.in_part.insert(table.id);
  }
  for (const auto& partition : partitions) {
    if (!partition.done) from.in_part.insert(partition.table_id);
  }
  auto stored = catalog.LoadCheckpoint(id_);
  if (!stored && stored.error().code != ErrorCode::kNotFound) return Fail(stored.error());
  if (stored) from.checkpoint = *std::move(stored);
  const auto look = [&]() -> Status {
    PENSTOCK_ASSIGN(const auto taken, options_.others.find_taken(spec_, TargetsOf(spec_.tables)));
    from.refused = FindRefused(spec_, tables, taken);
    return {};
  };
  PENSTOCK_TRY(options_.others.claim(look));
  PENSTOCK_ASSIGN(const auto reload,
                  PrepareReload(options_.destination, spec_, tables, from, *options_.clock, stop));
  return BeginReload(reload);
}

Status Runner::BeginReload(const Reload& reload) {
  return StoreReload(reload, Event::kReloadSetUp,
                     fmt::format("{} tables are loaded anew", reload.tables.size()));
}

Status Runner::StoreReload(const Reload& reload, Event event, const std::string& reason) {
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(const auto transition, Prepare(event, reason));
  PENSTOCK_TRY(options_.catalog->BeginReload(id_, reload.tables, reload.checkpoint, transition));
  if (journal_) journal_->ForgetCounts(reload.tables);
  Entered(transition);
  return {};
}

// Loads that are not whole, since a table was quarantined, are given up.
Status Runner::EndReload(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto tables, options_.catalog->Tables(id_));
  PENSTOCK_TRY(SetAsideBroken(tables));
  PENSTOCK_ASSIGN(tables, options_.catalog->Tables(id_));
  std::erase_if(tables, [](const auto& table) { return table.load_target.empty(); });
  std::vector<int64_t> ids;
  for (const auto& table : tables) ids.push_back(table.id);
  const auto given_up = std::stable_partition(
      tables.begin(), tables.end(), [](const auto& table) { return !table.loaded_uuid.empty(); });
  PENSTOCK_TRY(PutInPlace(options_.destination, spec_.database, {tables.begin(), given_up},
                          TargetRows::kReplaced, stop));
  clickhouse::Client client(options_.destination);
  PENSTOCK_TRY(DropLoadTargets(client, spec_.database, tables, stop));
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(const auto transition,
                  Prepare(Event::kSwapped, "the tables that were loaded anew are in place"));
  PENSTOCK_TRY(options_.catalog->EndReload(id_, ids, transition));
  Entered(transition);
  return {};
}

bool Runner::LoadsAreOver() const {
  const State now = state();
  return now == State::kRunning || now == State::kDegraded;
}

stream::StreamOptions Runner::StreamOptionsOf(const Recalled& recalled) {
  const auto loader = recalled.loader;
  auto options = StreamOptionsFor(spec_, id_, options_.destination, options_.memory);
  options.clock = options_.clock;
  options.prepared_folder = options_.prepared_folder;
  options.traffic = stream_traffic_;
  if (spec_.settings.delete_on_merge) options.cleanup_interval = options_.cleanup_interval;
  options.loads_are_over = [this] { return LoadsAreOver(); };
  options.source_watch_interval = options_.source_watch_interval;
  if (spec_.settings.auto_add_tables && HasPatterns(spec_)) {
    options.awaits = [this](const auto& name) { return PatternOf(spec_, name, true).has_value(); };
  }
  options.fence_requests = recalled.fence_requests.get();
  options.lacking = &lacking_;
  options.stop_load = [loader](size_t table) { loader->StopTable(table); };
  options.forget_load = [loader](size_t table) { loader->ForgetTable(table); };
  options.on_log_retry = [this](const Error* error) { OnRetry("log", error); };
  options.on_insert_retry = [this](const Error* error) { OnRetry("inserts", error); };
  options.on_position_news = [this](const std::string& news) {
    LogInfo(spec_.name, "{}", news);
    AddEvent({.at = options_.clock->Wall(), .level = "info", .kind = "position", .text = news});
  };
  options.on_reread_retry = [this](const Error* error) { OnRetry("rereads", error); };
  return options;
}

Result<Runner::Snapshot> Runner::OpenAtRest(std::stop_token stop) {
  Snapshot opened;
  const auto open = [&]() -> Status {
    PENSTOCK_ASSIGN(opened, OpenSnapshot(*options_.catalog, id_, spec_, options_.destination,
                                         *options_.clock, stop));
    return {};
  };
  PENSTOCK_TRY(Retry("snapshot", open, stop));
  return opened;
}

// Until a step is due that needs it at rest, for `wait` at most, or it fails. kCancelled on stop.
Status Runner::Stream(std::optional<std::chrono::milliseconds> wait, std::stop_token stop) {
  Snapshot opened;
  if (!wait && state() == State::kSnapshot) {
    PENSTOCK_ASSIGN(opened, OpenAtRest(stop));
  }
  const auto recalled = Recall();
  if (!recalled) {
    if (recalled.error().code != ErrorCode::kNotFound || !wait) return Fail(recalled.error());
    options_.clock->Wait(*wait, stop);  // nothing can be followed before the resync has begun
    return stop.stop_requested() ? Status(Fail(ErrorCode::kCancelled, "stopped")) : Status();
  }
  PENSTOCK_TRY(Retry(
      "start",
      [&]() -> Status {
        PENSTOCK_ASSIGN(const uint64_t first, FirstFreeVersion(options_.destination, spec_.database,
                                                               *recalled->tables, stop));
        recalled->journal->RaiseVersions(first);
        return {};
      },
      stop));
  DegradeIfRunning();
  {
    // What the stream retried before it rested is over.
    MutexLock lock(mutex_);
    std::erase_if(retrying_, [](const auto& part) {
      return part.first != "resync" && part.first != "retry" && part.first != "catalog";
    });
  }
  stream::StreamOptions options = StreamOptionsOf(*recalled);
  std::optional<model::Position> common;  // with a source that lacks what was replicated
  options.on_lacking = [&common](const model::Position& position) { common = position; };
  const auto retry = BeginRetry(*recalled, stop);
  std::stop_source& both = *recalled->rest;
  std::stop_callback forward(stop, [&both] { both.request_stop(); });
  Result<bool> rest_is_due = false;
  Status streamed;
  {
    std::jthread beside([&] {
      rest_is_due = Beside(*recalled, std::move(opened), wait, both.get_token());
      if (!rest_is_due || *rest_is_due) both.request_stop();
    });
    streamed = stream::RunStream(StreamTables(spec_, *recalled->tables),
                                 StartOf(recalled->checkpoint, *recalled->tables), options,
                                 recalled->journal.get(), both.get_token());
    both.request_stop();
  }
  if (retry) PENSTOCK_TRY(EndRetry(*retry, stop));
  if (!rest_is_due && rest_is_due.error().code != ErrorCode::kCancelled) {
    return Fail(rest_is_due.error());
  }
  // What a load has read may be of transactions that the stream had not come to.
  if (common && LoadsAreOver() && !stop.stop_requested()) {
    return HealLost(*common, std::move(streamed));
  }
  if (streamed.error().code != ErrorCode::kCancelled || stop.stop_requested()) return streamed;
  return {};
}

// The source never had some transactions that were replicated. Where the records of the batches
// tell which tables they changed, these are resynced, and the log is followed from where the source
// parted from what was; `otherwise` where they do not.
Status Runner::HealLost(const model::Position& common, Status otherwise) {
  catalog::Catalog& catalog = *options_.catalog;
  PENSTOCK_ASSIGN(auto checkpoint, catalog.LoadCheckpoint(id_));
  PENSTOCK_ASSIGN(const auto batches, catalog.Batches(id_, kBatchesMax));
  PENSTOCK_ASSIGN(const auto records, catalog.Tables(id_));
  const auto lost = TablesOfLost(batches, checkpoint.position, common);
  if (!lost) return otherwise.error().code == ErrorCode::kCancelled ? Status() : otherwise;
  const std::string why =
      fmt::format("the source has only {} of what was replicated from it up to {}",
                  common.ToString(), checkpoint.position.ToString());
  std::set<int64_t> sent;
  if (checkpoint.sent && !IsWithin(checkpoint.sent->read_to, common)) {
    sent.insert(checkpoint.sent->table_ids.begin(), checkpoint.sent->table_ids.end());
    checkpoint.sent.reset();
  }
  catalog::CheckpointNews news;
  for (const auto& table : records) {
    // What came by a load is in no batch.
    const bool is_lost = lost->contains(table.id) || sent.contains(table.id) ||
                         (table.start && !IsWithin(*table.start, common));
    const bool retried = table.quarantine && table.quarantine->retrying;  // by no batch on record
    if (!retried && (!is_lost || table.quarantine)) continue;
    news.quarantines.push_back({.table_id = table.id,
                                .quarantine = {.position = common,
                                               .reason = why + ": it is resynced by itself",
                                               .since = options_.clock->Wall()},
                                .reload_wanted = true});
  }
  checkpoint.position = CommonPart(checkpoint.position, common);
  PENSTOCK_TRY(catalog.SaveCheckpoint(id_, checkpoint, news));
  const std::string text = fmt::format(
      "{}: tables that the lost transactions changed are resynced ({}), the others go on from "
      "there",
      why, news.quarantines.size());
  LogWarning(spec_.name, "{}", text);
  AddEvent({.at = options_.clock->Wall(), .level = "warning", .kind = "position", .text = text});
  return {};
}

// What is done beside the stream. Answers whether the stream is to rest then.
Result<bool> Runner::Beside(const Recalled& recalled, Snapshot opened,
                            std::optional<std::chrono::milliseconds> wait, std::stop_token stop) {
  if (wait) {
    options_.clock->Wait(*wait, stop);
    return true;
  }
  if (state() != State::kSnapshot) return false;
  if (const Status load = Load(recalled, std::move(opened), stop); !load) {
    if (!Passes(load.error().code)) return Fail(load.error());
    // A snapshot that is lost is opened again, with the stream at rest.
    OnRetry("snapshot", &load.error());
    LogWarning(spec_.name, "snapshot: {}; begun again", load.error().ToString());
    options_.clock->Wait(kSnapshotPause, stop);
    return true;
  }
  PENSTOCK_ASSIGN(auto tables, options_.catalog->Tables(id_));
  const auto broken = BrokenTargets(tables);
  std::erase_if(tables, [](const auto& table) { return table.load_target.empty(); });
  if (tables.empty()) {
    PENSTOCK_TRY(Transit(Event::kLoaded, "every partition is loaded"));
    DegradeIfRunning();
    PENSTOCK_ASSIGN(tables, options_.catalog->Tables(id_));
    return std::ranges::any_of(
        tables, [](const auto& table) { return table.quarantine && table.quarantine->retrying; });
  }
  std::erase_if(tables, [&](const auto& table) { return broken.contains(table.target); });
  PENSTOCK_TRY(CarryOver(recalled, tables, stop));
  clickhouse::Client client(options_.destination);
  PENSTOCK_TRY(Retry(
      "resync",
      [&]() -> Status {
        PENSTOCK_ASSIGN(const auto loaded, LoadedTargets(client, spec_.database, tables, stop));
        return options_.catalog->EndLoad(loaded);
      },
      stop));
  PENSTOCK_TRY(Transit(Event::kLoadedAside, "every partition is loaded, beside the targets"));
  return true;
}

void Runner::OnQuarantine(std::stop_source& rest) {
  DegradeIfRunning();
  const auto names = TablesToHeal();
  if (!names) LogWarning(spec_.name, "{}", names.error().ToString());  // the next rest sees them
  if (names && !names->empty()) rest.request_stop();
}

Status Runner::Load(const Recalled& recalled, Snapshot opened, std::stop_token stop) {
  const snapshot::LoadFigures before = recalled.watch->figures();
  if (before.partitions != 0) {
    AddEvent(
        {.at = options_.clock->Wall(),
         .level = "info",
         .kind = "snapshot",
         .text = fmt::format("the load goes on: {} partitions with {} rows are loaded; rows of "
                             "partitions that were being read are read again, and count only "
                             "then",
                             before.partitions_done, before.rows)});
  }
  const std::jthread watching([&](std::stop_token watched) { recalled.watch->Run(watched); });
  return recalled.loader->Run(std::move(stop), std::move(opened));
}

Result<catalog::Transition> Runner::Prepare(Event event, const std::string& reason) const {
  PENSTOCK_ASSIGN(const auto next, Next(lifecycle_, event, spec_.settings.mode));
  return catalog::Transition{.from = std::string(StateName(lifecycle_.state)),
                             .to = std::string(StateName(next.state)),
                             .resume_state = std::string(StateName(next.resume)),
                             .reason = reason,
                             .at = options_.clock->Wall()};
}

Status Runner::Transit(Event event, const std::string& reason) {
  MutexLock lock(mutex_);
  return TransitLocked(event, reason);
}

Status Runner::TransitLocked(Event event, const std::string& reason) {
  PENSTOCK_ASSIGN(const auto transition, Prepare(event, reason));
  if (transition.to == StateName(lifecycle_.state) &&
      transition.resume_state == StateName(lifecycle_.resume) &&
      (event != Event::kDegraded || reason == reason_)) {
    return {};  // stop where it is stopped already
  }
  PENSTOCK_TRY(options_.catalog->SaveTransition(id_, transition));
  Entered(transition);
  return {};
}

void Runner::Entered(const catalog::Transition& transition) {
  LogInfo(spec_.name, "{} -> {}: {}", transition.from, transition.to, transition.reason);
  lifecycle_ = {.state = *ParseState(transition.to),
                .resume = *ParseState(transition.resume_state)};
  reason_ = transition.reason;
  state_since_ = transition.at;
  updated_at_ = transition.at;
  if (lifecycle_.resume != State::kRunning && lifecycle_.resume != State::kDegraded) {
    attention_.clear();
  }
}

Status Runner::Retry(std::string_view what, const std::function<Status()>& attempt,
                     std::stop_token stop) {
  Backoff backoff;
  while (true) {
    Status status = attempt();
    if (status) OnRetry(what, nullptr);
    if (status || !Passes(status.error().code)) return status;
    OnRetry(what, &status.error());
    LogWarning(spec_.name, "{}: {}; trying again", what, status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

// The first of a row of failures is an event; each is in the status.
void Runner::OnRetry(std::string_view part, const Error* error) {
  catalog::EventRecord event{
      .at = options_.clock->Wall(), .level = "warning", .kind = "retry", .text = ""};
  {
    MutexLock lock(mutex_);
    if (error != nullptr) ++errors_[{std::string(part), error->code}];
    const auto found = retrying_.find(part);
    if (error == nullptr) {
      if (found == retrying_.end()) return;
      retrying_.erase(found);
      event.level = "info";
      event.text = fmt::format("{}: recovered", part);
    } else if (found != retrying_.end()) {
      found->second.error = error->ToString();
      ++found->second.attempts;
      return;
    } else {
      event.text = fmt::format("{}: {}", part, error->ToString());
      retrying_.emplace(
          part,
          Retrying{.error = error->ToString(), .attempts = 1, .since = options_.clock->Steady()});
    }
  }
  AddEvent(event);
}

void Runner::OnTakenBack(const std::string& table, const std::string& why) {
  LogWarning({spec_.name, table}, "snapshot: {}", why);
  AddEvent({.at = options_.clock->Wall(),
            .level = "warning",
            .kind = "snapshot",
            .text = fmt::format("{}: {}", table, why)});
}

void Runner::OnSnapshotOpened(snapshot::Consistency consistency, size_t connections) {
  AddEvent({.at = options_.clock->Wall(),
            .level = "info",
            .kind = "snapshot",
            .text = fmt::format("the load begins: all tables are read at one moment, {}; "
                                "connections: {}",
                                snapshot::ConsistencyText(consistency), connections)});
}

void Runner::AddEvent(const catalog::EventRecord& event) {
  if (const Status status = options_.catalog->AddEvent(id_, event); !status) {
    LogWarning(spec_.name, "event not stored: {}", status.error().ToString());
  }
}

}  // namespace penstock::pipe
