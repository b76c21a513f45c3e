#include "pipe/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "base/backoff.h"
#include "obs/log.h"
#include "pipe/setup.h"
#include "pipe/whole_load.h"
#include "stream/stream.h"

namespace penstock::pipe {
namespace {

// Shares of the process's memory: a pipe's stream holds up to three batches, its snapshot a block
// a worker, both with room to grow by doubling.
uint64_t BatchBytesMax(uint64_t memory_limit, uint64_t share_min) {
  return std::clamp<uint64_t>(memory_limit / 32, share_min, 24 << 20);
}
uint64_t BlockBytesMax(uint64_t memory_limit, uint64_t share_min, uint64_t workers) {
  return std::clamp<uint64_t>(memory_limit / 8 / std::max<uint64_t>(workers, 1), share_min,
                              16 << 20);
}

// For what is left of a pipe that is deleted.
constexpr std::chrono::seconds kDropTimeout{5};

// Why a transition that a user ordered happened.
constexpr char kOrdered[] = "asked for by the user";

bool Passes(ErrorCode code) {
  return code == ErrorCode::kRetry || code == ErrorCode::kUnknownOutcome ||
         code == ErrorCode::kExhausted;
}

// Where rows go: to the target, or until it is in place to the table beside it.
const std::string& FilledBy(const catalog::TableRecord& table) {
  return table.load_target.empty() ? table.target : table.load_target;
}

std::vector<stream::StreamTable> StreamTables(const PipeSpec& spec,
                                              const std::vector<catalog::TableRecord>& tables) {
  std::vector<stream::StreamTable> result;
  for (size_t i = 0; i < tables.size(); ++i) {
    result.push_back({.definition = tables[i].definition,
                      .target_options = TargetOptionsOf(spec, spec.tables[i]),
                      .target = FilledBy(tables[i]),
                      .old_target = tables[i].keeps_target_fresh ? tables[i].target : "",
                      .quarantined = tables[i].quarantine.has_value(),
                      .start = tables[i].start});
  }
  return result;
}

}  // namespace

Runner::Runner(const catalog::PipeRecord& record, PipeSpec spec, Options options)
    : options_(std::move(options)),
      spec_(std::move(spec)),
      id_(record.id),
      created_at_(record.created_at),
      reason_(record.reason),
      state_since_(record.state_since) {
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

void Runner::DropUnfinished() {
  {
    MutexLock lock(mutex_);
    const bool any =
        std::ranges::any_of(tables_, [](const auto& table) { return !table.load_target.empty(); });
    if (!any || lifecycle_.state == State::kCompleted || options_.unusable) return;
  }
  clickhouse::Endpoint destination = options_.destination;
  destination.idle_timeout = kDropTimeout;
  clickhouse::Client client(std::move(destination));
  const Status dropped =
      options_.catalog->Tables(id_).and_then([&](const std::vector<catalog::TableRecord>& tables) {
        return DropLoadTargets(client, spec_.database, tables, {});
      });
  if (dropped) return;
  LogWarning(spec_.name, "tables named TARGET_resync_... are left: {}", dropped.error().ToString());
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
  }
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
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
  PENSTOCK_TRY(options_.catalog->WantReload(id_, ids, whole && lifecycle_.state == State::kFailed,
                                            transition));
  Entered(transition);
  return {};
}

void Runner::Run(std::stop_token stop) {
  // What passes by itself (a full disk of the catalog, say) is tried again from the stored state.
  Status status;
  Backoff backoff;
  while (true) {
    status = Work(stop);
    if (status || !Passes(status.error().code)) break;
    OnRetry("catalog", &status.error());
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
    switch (state) {
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
  PENSTOCK_ASSIGN(const auto tables, options_.catalog->Tables(id_));
  PENSTOCK_ASSIGN(const auto batches, options_.catalog->Batches(id_, 1));
  PENSTOCK_ASSIGN(const auto changes, options_.catalog->ValueChanges(id_));
  PENSTOCK_ASSIGN(auto load_tables, LoadTables(tables));
  StreamProgress before;
  {
    MutexLock lock(mutex_);
    if (journal_) before = journal_->progress();
  }
  auto journal = std::make_shared<Journal>(
      Journal::Options{.catalog = options_.catalog,
                       .clock = options_.clock,
                       .pipe_id = id_,
                       .checkpoint = checkpoint,
                       .last_batch_number = batches.empty() ? 0 : batches[0].number,
                       .tables = tables,
                       .changes = changes,
                       .before = std::move(before),
                       .on_quarantine = [this] { DegradeIfRunning(); }});
  auto options = LoaderOptionsFor(load_tables, checkpoint);
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
                  .fence_requests = std::move(fence_requests)};
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
  if (spec_.settings.mode == ReplicationMode::kSnapshot) {
    PENSTOCK_TRY(Retry(
        "load", [&] { return LoadWhole(stop); }, stop));
    return Transit(Event::kLoaded, "every partition is loaded");
  }
  Backoff backoff;
  while (true) {
    std::optional<std::chrono::milliseconds> wait;
    if (const Status done = StepAtRest(stop); !done) {
      if (done.error().code == ErrorCode::kCancelled) return done;
      OnRetry("resync", &done.error());
      LogWarning(spec_.name, "resync: {}; trying again", done.error().ToString());
      wait = backoff.Next();
    } else {
      OnRetry("resync", nullptr);
    }
    PENSTOCK_TRY(Stream(wait, stop));
  }
}

State Runner::state() const {
  MutexLock lock(mutex_);
  return lifecycle_.state;
}

// The step that needs the stream at rest, where there is one.
Status Runner::StepAtRest(std::stop_token stop) {
  clickhouse::Client client(options_.destination);
  catalog::Catalog& catalog = *options_.catalog;
  const State now = state();
  if (now != State::kSetup && now != State::kResync) return {};
  PENSTOCK_ASSIGN(auto tables, catalog.Tables(id_));
  if (now == State::kSetup) {
    std::optional<catalog::Checkpoint> checkpoint;
    if (auto stored = catalog.LoadCheckpoint(id_)) checkpoint = *std::move(stored);
    PENSTOCK_ASSIGN(const auto reload,
                    PrepareReload(client, spec_, tables, checkpoint, *options_.clock, stop));
    MutexLock lock(mutex_);
    PENSTOCK_ASSIGN(const auto transition,
                    Prepare(Event::kReloadSetUp,
                            fmt::format("{} tables are loaded anew", reload.tables.size())));
    PENSTOCK_TRY(catalog.BeginReload(id_, reload.tables, reload.checkpoint, transition));
    Entered(transition);
    return {};
  }
  std::erase_if(tables, [](const auto& table) { return table.load_target.empty(); });
  std::vector<int64_t> ids;
  for (const auto& table : tables) ids.push_back(table.id);
  const auto given_up = std::stable_partition(
      tables.begin(), tables.end(), [](const auto& table) { return !table.loaded_uuid.empty(); });
  PENSTOCK_TRY(
      PutInPlace(client, spec_.database, {tables.begin(), given_up}, TargetRows::kReplaced, stop));
  PENSTOCK_TRY(DropLoadTargets(client, spec_.database, tables, stop));
  MutexLock lock(mutex_);
  PENSTOCK_ASSIGN(const auto transition,
                  Prepare(Event::kSwapped, "the tables that were loaded anew are in place"));
  PENSTOCK_TRY(catalog.EndReload(id_, ids, transition));
  Entered(transition);
  return {};
}

// Until a step is due that needs it at rest, for `wait` at most, or it fails. kCancelled on stop.
Status Runner::Stream(std::optional<std::chrono::milliseconds> wait, std::stop_token stop) {
  const auto recalled = Recall();
  if (!recalled) {
    if (recalled.error().code != ErrorCode::kNotFound || !wait) return Fail(recalled.error());
    options_.clock->Wait(*wait, stop);  // nothing can be followed before the resync has begun
    return stop.stop_requested() ? Status(Fail(ErrorCode::kCancelled, "stopped")) : Status();
  }
  PENSTOCK_TRY(Retry(
      "start",
      [&]() -> Status {
        PENSTOCK_ASSIGN(const uint64_t first, FirstFreeVersion(recalled->tables, stop));
        recalled->journal->RaiseVersions(first);
        return {};
      },
      stop));
  DegradeIfRunning();
  std::stop_source both;
  std::stop_callback forward(stop, [&both] { both.request_stop(); });
  Result<bool> rest_is_due = false;
  Status streamed;
  {
    std::jthread beside([&] {
      rest_is_due = Beside(*recalled, wait, both.get_token());
      if (!rest_is_due || *rest_is_due) both.request_stop();
    });
    streamed =
        stream::RunStream(StreamTables(spec_, recalled->tables), recalled->checkpoint.position,
                          StreamOptionsFor(*recalled), recalled->journal.get(), both.get_token());
    both.request_stop();
  }
  if (!rest_is_due && rest_is_due.error().code != ErrorCode::kCancelled) {
    return Fail(rest_is_due.error());
  }
  if (streamed.error().code != ErrorCode::kCancelled || stop.stop_requested()) return streamed;
  return {};
}

// What is done beside the stream. Answers whether the stream is to rest then.
Result<bool> Runner::Beside(const Recalled& recalled, std::optional<std::chrono::milliseconds> wait,
                            std::stop_token stop) {
  if (wait) {
    options_.clock->Wait(*wait, stop);
    return true;
  }
  if (state() != State::kSnapshot) return false;
  PENSTOCK_TRY(Load(recalled, stop));
  PENSTOCK_ASSIGN(auto tables, options_.catalog->Tables(id_));
  std::erase_if(tables, [](const auto& table) { return table.load_target.empty(); });
  if (tables.empty()) {
    PENSTOCK_TRY(Transit(Event::kLoaded, "every partition is loaded"));
    DegradeIfRunning();
    return false;
  }
  std::erase_if(tables, [](const auto& table) { return table.quarantine.has_value(); });
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

// What cannot be stored now is stored by the next run.
void Runner::DegradeIfRunning() {
  std::string names;
  {
    MutexLock lock(mutex_);
    const StreamProgress progress = journal_->progress();
    const bool running =
        lifecycle_.state == State::kRunning ||
        (lifecycle_.state == State::kPausing && lifecycle_.resume == State::kRunning);
    for (size_t i = 0; i < tables_.size() && running; ++i) {
      if (!progress.tables[i].quarantine) continue;
      names += (names.empty() ? "" : ", ") + tables_[i].definition.name.ToString();
    }
  }
  if (names.empty()) return;
  const Status stored = Transit(Event::kDegraded, "quarantined: " + names);
  if (!stored) LogWarning(spec_.name, "{}", stored.error().ToString());
}

Status Runner::Load(const Recalled& recalled, std::stop_token stop) {
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
  return recalled.loader->Run(std::move(stop));
}

// One attempt at a load that no stream heals, or what is left of one that was whole.
Status Runner::LoadWhole(std::stop_token stop) {
  catalog::Catalog& catalog = *options_.catalog;
  clickhouse::Client client(options_.destination);
  OnRetry("snapshot", nullptr);
  PENSTOCK_ASSIGN(auto tables, catalog.Tables(id_));
  if (!IsWhole(tables)) {
    PENSTOCK_TRY(catalog.BeginLoad(NewLoadTargets(tables)));
    PENSTOCK_ASSIGN(const auto recalled, Recall());
    PENSTOCK_TRY(MakeLoadTargets(client, spec_, recalled.tables, stop));
    PENSTOCK_TRY(Load(recalled, stop));
    PENSTOCK_ASSIGN(const auto loaded,
                    LoadedTargets(client, spec_.database, recalled.tables, stop));
    PENSTOCK_TRY(catalog.EndLoad(loaded));
    PENSTOCK_ASSIGN(tables, catalog.Tables(id_));
  }
  Status in_place = PutInPlace(client, spec_.database, tables, TargetRows::kNone, stop);
  if (in_place || in_place.error().code != ErrorCode::kNotFound) return in_place;
  PENSTOCK_TRY(catalog.BeginLoad(NewLoadTargets(tables)));
  Error again = std::move(in_place).error();
  again.code = ErrorCode::kRetry;
  return Fail(std::move(again));
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
  PENSTOCK_ASSIGN(const auto transition, Prepare(event, reason));
  if (transition.to == StateName(lifecycle_.state) &&
      transition.resume_state == StateName(lifecycle_.resume)) {
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
      retrying_.emplace(part, Retrying{.error = error->ToString(), .attempts = 1});
    }
  }
  AddEvent(event);
}

void Runner::OnTakenBack(const std::string& why) {
  LogWarning(spec_.name, "snapshot: {}", why);
  AddEvent({.at = options_.clock->Wall(), .level = "warning", .kind = "snapshot", .text = why});
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

Result<std::vector<snapshot::LoadTable>> Runner::LoadTables(
    const std::vector<catalog::TableRecord>& tables) const {
  if (tables.size() != spec_.tables.size()) {
    return Fail(ErrorCode::kNotFound, "the mappings of the stored tables are not known");
  }
  PENSTOCK_ASSIGN(auto partitions, options_.catalog->Partitions(id_));
  auto next = partitions.begin();
  std::vector<snapshot::LoadTable> result;
  for (size_t i = 0; i < tables.size(); ++i) {
    snapshot::LoadTable table{.id = tables[i].id,
                              .definition = tables[i].definition,
                              .target_options = TargetOptionsOf(spec_, spec_.tables[i]),
                              .target = FilledBy(tables[i]),
                              .start = tables[i].start,
                              .partition_key = spec_.tables[i].partition_key,
                              .version_base = tables[i].load_version_base,
                              .partitions = {},
                              .planned = tables[i].partitions_planned,
                              .rows_estimated = tables[i].rows_estimated,
                              .bytes_estimated = tables[i].bytes_estimated,
                              .abandoned = tables[i].quarantine.has_value()};
    for (; next != partitions.end() && next->table_id == table.id; ++next) {
      table.partitions.push_back({.index = next->index,
                                  .lower = std::move(next->lower),
                                  .upper = std::move(next->upper),
                                  .done = next->done,
                                  .rows = next->rows,
                                  .bytes = next->bytes});
    }
    result.push_back(std::move(table));
  }
  return result;
}

// The catalog may be an old copy: what is in the destination counts as well.
Result<uint64_t> Runner::FirstFreeVersion(const std::vector<catalog::TableRecord>& tables,
                                          std::stop_token stop) const {
  uint64_t first = 0;
  clickhouse::Client client(options_.destination);
  std::vector<std::string> written;
  for (const auto& table : tables) {
    if (table.quarantine) continue;
    written.push_back(FilledBy(table));
    if (table.keeps_target_fresh) written.push_back(table.target);
  }
  for (const auto& table : written) {
    PENSTOCK_ASSIGN(const auto rows,
                    client.Rows(fmt::format("SELECT max({}) FROM {}", clickhouse::kVersionColumn,
                                            clickhouse::QuoteTable(spec_.database, table)),
                                stop));
    uint64_t highest = 0;
    if (!rows.empty() && !rows[0].empty()) {
      const std::string& text = rows[0][0];
      std::from_chars(text.data(), text.data() + text.size(), highest);
    }
    first = std::max(first, highest + 1);
  }
  return first;
}

snapshot::LoaderOptions Runner::LoaderOptionsFor(const std::vector<snapshot::LoadTable>& tables,
                                                 const catalog::Checkpoint& checkpoint) {
  const PipeSettings& settings = spec_.settings;
  const auto workers = settings.initial_load_parallelism *
                       snapshot::ParallelTables(tables, settings.snapshot_parallel_tables);
  snapshot::LoaderOptions options{
      .source = spec_.source,
      .destination = options_.destination,
      .database = spec_.database,
      .pipe_name = spec_.name,
      .start_positions = {checkpoint.position},
      .consistent = settings.mode == ReplicationMode::kSnapshot,
      .parallel_tables = settings.snapshot_parallel_tables,
      .parallel_partitions = settings.initial_load_parallelism,
      .rows_per_partition = settings.snapshot_rows_per_partition,
      .partition_budget = options_.partition_budget,
      .block_bytes_max =
          BlockBytesMax(options_.memory_limit_bytes, options_.share_bytes_min, workers),
      .throttle = ThrottleOf(settings),
      .compression = clickhouse::Compression::kNone,
      .clock = options_.clock,
      .on_opened = [this](auto how, size_t count) { OnSnapshotOpened(how, count); },
      .on_retry = [this](const Error* error) { OnRetry("snapshot", error); },
      .on_taken_back = [this](const std::string& why) { OnTakenBack(why); }};
  for (const auto& table : tables) {
    const bool known =
        !table.start || std::ranges::count(options.start_positions, *table.start) != 0;
    if (!known) options.start_positions.push_back(*table.start);
  }
  if (options.consistent) options.start_positions.clear();
  return options;
}

stream::StreamOptions Runner::StreamOptionsFor(const Recalled& recalled) {
  return {.source = spec_.source,
          .server_id = ServerId(),
          .destination = options_.destination,
          .database = spec_.database,
          .pipe_name = spec_.name,
          .sync_interval = spec_.settings.sync_interval,
          .batch_rows_max = spec_.settings.pull_batch_size,
          .batch_bytes_max = BatchBytesMax(options_.memory_limit_bytes, options_.share_bytes_min),
          .parallel_inserts = 4,
          .compression = clickhouse::Compression::kNone,
          .settle_timeout = std::chrono::milliseconds(1'500),
          .clock = options_.clock,
          .fence_requests = recalled.fence_requests.get(),
          .abandon_load = [loader = recalled.loader](size_t table) { loader->Abandon(table); },
          .on_log_retry = [this](const Error* error) { OnRetry("log", error); },
          .on_insert_retry = [this](const Error* error) { OnRetry("inserts", error); },
          .on_reread_retry = [this](const Error* error) { OnRetry("rereads", error); }};
}

// Stable for the pipe, and far above the ids that people give their servers (FNV-1a of its UUID).
uint32_t Runner::ServerId() const {
  if (spec_.server_id) return *spec_.server_id;
  uint32_t hash = 2166136261;
  for (const char c : id_) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return hash | 0x40000000;
}

PipeStatus Runner::status() const {
  MutexLock lock(mutex_);
  PipeStatus status;
  status.id = id_;
  status.spec = spec_;
  status.state = lifecycle_.state;
  // Why an ordinary state came about is among the events.
  if (lifecycle_.state == State::kFailed || lifecycle_.state == State::kDegraded) {
    status.reason = reason_;
  }
  status.state_since = state_since_;
  status.created_at = created_at_;
  status.updated_at = state_since_;
  for (const auto& [part, retrying] : retrying_) {
    if (!status.retrying.empty()) status.retrying += "; ";
    status.retrying += fmt::format("{}: {}", part, retrying.error);
    status.retry_attempts += retrying.attempts;
  }
  if (!journal_) return status;

  const StreamProgress stream = journal_->progress();
  status.position = stream.position;
  const bool streaming = IsWorking(status.state) && status.state != State::kProvisioning;
  if (streaming) status.lag = stream.lag;
  status.last_batch_rows = stream.last_batch_rows;
  status.last_batch_duration = stream.last_batch_duration;
  const bool loading = status.state == State::kSnapshot;
  if (loading) status.load_rows_per_second = watch_->rows_per_second();
  for (size_t i = 0; i < tables_.size(); ++i) {
    const snapshot::LoadFigures load = loader_->figures(i);
    const auto& changes = stream.tables[i];
    const bool begun = load.partitions != 0;
    status.load += load;
    status.tables.push_back(
        {.source = tables_[i].definition.name,
         .target = spec_.database + "." + tables_[i].target,
         .state = changes.quarantine ? "quarantined"
                  : load.tables_done != 0
                      ? (status.state == State::kCompleted ? "loaded" : "following")
                      : (begun ? "loading" : "waiting"),
         .quarantine = changes.quarantine,
         .load = load,
         .load_rows_per_second = loading ? watch_->rows_per_second(i) : 0,
         .rows_inserted = changes.counts.inserted,
         .rows_updated = changes.counts.updated,
         .rows_deleted = changes.counts.deleted,
         .changes = changes.changes,
         .ddl = tables_[i].ddl});
  }
  status.rows_per_second = rate_.Sample(stream.rows + status.load.rows, options_.clock->Steady());
  return status;
}

Result<std::vector<PartitionStatus>> Runner::Partitions(const std::string& table,
                                                        size_t limit) const {
  std::map<int64_t, model::TableName> names;
  {
    MutexLock lock(mutex_);
    for (const auto& record : tables_) {
      if (table.empty() || record.definition.name.ToString() == table) {
        names.emplace(record.id, record.definition.name);
      }
    }
  }
  if (!table.empty() && names.empty()) {
    return Fail(ErrorCode::kNotFound, "the pipe has no table {}", table);
  }
  std::optional<int64_t> table_id;
  if (!table.empty()) table_id = names.begin()->first;
  PENSTOCK_ASSIGN(const auto records, options_.catalog->LatestPartitions(id_, table_id, limit));
  std::vector<PartitionStatus> partitions;
  for (const auto& record : records) {
    partitions.push_back({.source = names[record.table_id], .partition = record});
  }
  return partitions;
}

}  // namespace penstock::pipe
