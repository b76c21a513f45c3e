#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "obs/traffic.h"
#include "pipe/figures.h"
#include "pipe/flow_parts.h"
#include "pipe/journal.h"
#include "pipe/load_watch.h"
#include "pipe/rate_meter.h"
#include "pipe/setup.h"
#include "pipe/spec.h"
#include "pipe/state.h"
#include "pipe/status.h"
#include "pipe/table_retry.h"
#include "pipe/target_owners.h"
#include "pipe/whole_load.h"
#include "snapshot/loader.h"

namespace penstock::pipe {

// Runs one pipe: takes it through its lifecycle, from its stored state on, on a thread of its own
// while there is work to do. Every change of state is in the catalog before it takes effect. Safe
// from any thread; one call of Start, Apply or Shutdown at a time.
class Runner {
 public:
  struct Options {
    catalog::Catalog* catalog = nullptr;  // outlives the runner
    Clock* clock = &Clock::Real();
    clickhouse::Endpoint destination;
    std::string embedded_url = {};  // of this process's own ClickHouse, if it has one
    MemoryLimits memory = {};
    std::filesystem::path prepared_folder = {};  // this pipe's, for stream::StreamOptions
    std::chrono::seconds partition_budget = Limits().partition_budget;
    std::chrono::seconds cleanup_interval = Limits().cleanup_interval;
    AttentionLimits attention = {};
    std::chrono::milliseconds source_watch_interval = Limits().source_watch_interval;
    // Why the pipe cannot work as the process runs now (no destination, say): it takes commands,
    // and fails as soon as there is work to do.
    std::optional<Error> unusable = std::nullopt;
    OtherPipes others = {};
  };
  Runner(const catalog::PipeRecord& record, PipeSpec spec, Options options);
  ~Runner();  // Shutdown

  // Goes on from the stored state.
  void Start();
  // Stops working without a change of state: a later Start goes on. RequestShutdown does not wait.
  void RequestShutdown() EXCLUDES(mutex_);
  void Shutdown();
  // Of a pipe that is to be deleted, after Shutdown: what a Deletion has to do for its tables.
  Result<std::vector<catalog::RemovalRecord>> RemovalsOfAll(bool drop_targets);
  // kStart or kStop. Answers when the new state is stored; the work goes on behind.
  Status Apply(Event command);
  // Likewise: these tables, or without names all, are loaded anew beside their targets, which take
  // their places when all are in. kInvalidArgument for a table that is not mapped.
  Status Resync(const std::vector<model::TableName>& names);

  // Likewise: quarantined tables, those named or all that can be, are followed again from where
  // they were left. kConflict, with why, for one that cannot be.
  Status RetryTables(const std::vector<model::TableName>& names);

  // Another spec, and destination, in place of what it runs by: stored first, with an event that
  // names the `fields` that differ; then what was running goes on by it, over new connections. The
  // state stays, but where tables come or go: those that come are loaded and followed, whatever the
  // state was; of those that go nothing is written any more.
  struct TablesChange {
    struct Added {
      model::Table definition;
      std::string target;
      std::optional<Error> why_not =
          std::nullopt;  // it cannot be loaded, until somebody mends that
    };
    struct Removed {
      size_t table = 0;  // index into the tables of the spec so far
      bool drop_target = false;
    };
    std::vector<Added> added = {};  // as the last of the new spec
    std::vector<Removed> removed = {};
    std::vector<RemappedTable> remapped = {};  // loaded anew, but where only later loads differ
    size_t tables_before = 0;  // of the spec so far: kConflict where there are others by now
  };
  Status Edit(PipeSpec spec, clickhouse::Endpoint destination,
              const std::vector<std::string>& fields, const TablesChange& change);

  // With no more than `tables_max` tables: of more, first those that are quarantined, then those
  // that are being loaded, then those that wait for it.
  PipeStatus status(size_t tables_max) const EXCLUDES(mutex_);
  PipeFigures figures() const EXCLUDES(mutex_);
  // Newest first.
  Result<std::vector<BatchStatus>> Batches(size_t limit) const EXCLUDES(mutex_);
  // As Catalog::LatestPartitions; `table` as ToString() of its source name writes it, "": of all.
  Result<std::vector<PartitionStatus>> Partitions(const std::string& table, size_t limit) const
      EXCLUDES(mutex_);

 private:
  struct Recalled {
    std::shared_ptr<const std::vector<catalog::TableRecord>> tables;
    catalog::Checkpoint checkpoint;
    std::shared_ptr<Journal> journal;
    std::shared_ptr<snapshot::Loader> loader;
    std::shared_ptr<LoadWatch> watch;
    std::shared_ptr<stream::FenceRequests> fence_requests;
    std::shared_ptr<std::stop_source> rest;  // asks the stream for it
  };

  void Run(std::stop_token stop);
  Status Work(std::stop_token stop);
  Status Provision(std::stop_token stop);
  Status Setup(std::stop_token stop);
  Status Flow(std::stop_token stop);
  State state() const EXCLUDES(mutex_);
  Result<std::vector<int64_t>> TablesToRetry(const std::vector<model::TableName>& names)
      EXCLUDES(mutex_);
  Status Settle(std::stop_token stop);
  Status SetAside(const std::vector<UnsettledInsert>& unsettled);
  Status SetAsideBroken(const std::vector<catalog::TableRecord>& tables);
  Status CarryOver(const Recalled& recalled, std::vector<catalog::TableRecord>& tables,
                   std::stop_token stop);
  std::unique_ptr<TableRetry> BeginRetry(const Recalled& recalled, std::stop_token stop);
  Result<TableRetry::Plan> PlanRetry(Journal& journal, model::Mechanism mechanism,
                                     std::stop_token stop);
  Status SettleRetried(Journal& journal, const std::vector<catalog::TableRecord>& tables,
                       std::stop_token stop);
  Status EndRetry(TableRetry& retry, std::stop_token stop);
  // What runs by them is known as this pipe's, so that it can be ended.
  void RunBy(PipeSpec spec, clickhouse::Endpoint destination);
  Result<catalog::TablesEdit> EditOf(const TablesChange& change) EXCLUDES(mutex_);
  Status EditAtRest(PipeSpec spec, const std::string& stored, clickhouse::Endpoint destination,
                    const std::vector<std::string>& fields, const TablesChange& change)
      EXCLUDES(mutex_);
  void RemoveSoon(std::stop_token stop);
  Status FinishRemovals(std::stop_token stop);
  Status Remove(const clickhouse::Endpoint& destination, std::stop_token stop);
  Status WantReload(const std::vector<int64_t>& ids, bool whole) EXCLUDES(mutex_);
  // The source has removed what comes next from its log, and nothing needs it where every table is
  // loaded anyway. Else, and at the second time, the same error.
  Status LoadAnewIfPurged(Status ended, std::stop_token stop) EXCLUDES(mutex_);
  Status StepAtRest(State now, std::stop_token stop);
  // Tables whose quarantine heals by a resync; "": none.
  Result<std::string> TablesToHeal();
  Status HealIfDue();
  // Tables of the source that fit a pattern, and are new.
  Status AddNewTables(std::stop_token stop) EXCLUDES(mutex_);
  Status AddListed(std::stop_token stop) EXCLUDES(mutex_);
  Status StoreListed(const std::vector<TableMapping>& tables, Definitions definitions)
      EXCLUDES(mutex_);
  void OnMade(const model::Position& end, std::stop_source& rest) EXCLUDES(mutex_);
  Status HealLost(const model::Position& common, Status otherwise);
  Status BeginReload(std::stop_token stop) EXCLUDES(mutex_);
  Status BeginReload(const Reload& reload) EXCLUDES(mutex_);
  Status StoreReload(const Reload& reload, Event event, const std::string& reason) EXCLUDES(mutex_);
  Status EndReload(std::stop_token stop) EXCLUDES(mutex_);
  bool LoadsAreOver() const;
  stream::StreamOptions StreamOptionsOf(const Recalled& recalled);
  Status Stream(std::optional<std::chrono::milliseconds> wait, std::stop_token stop);
  using Snapshot = std::optional<snapshot::ConsistentConnections>;
  Result<Snapshot> OpenAtRest(std::stop_token stop);
  Result<bool> Beside(const Recalled& recalled, Snapshot opened,
                      std::optional<std::chrono::milliseconds> wait, std::stop_token stop);
  Status Load(const Recalled& recalled, Snapshot opened, std::stop_token stop);
  // Of a pipe that nothing heals: to the end of its load.
  Status LoadOnce(std::stop_token stop);
  Status LoadWhole(std::stop_token stop) EXCLUDES(mutex_);
  Status PutFirstInPlace(std::stop_token stop);
  Status LoadAllAgain(const std::string& why, std::stop_token stop);
  // Puts what the catalog knows of the tables and the stream into the status. kNotFound before
  // the end of Setup.
  Result<Recalled> Recall() EXCLUDES(mutex_);
  void RecallIfNew() EXCLUDES(mutex_);
  StreamProgress ProgressOf(const std::vector<catalog::TableRecord>& tables) const REQUIRES(mutex_);

  // Its place in kTableStates.
  size_t TableStateOf(const snapshot::LoadFigures& load, bool quarantined) const REQUIRES(mutex_);
  TableStatus StatusOf(size_t table, const snapshot::LoadFigures& load,
                       const StreamProgress& stream) const REQUIRES(mutex_);
  Result<catalog::Transition> Prepare(Event event, const std::string& reason) const
      REQUIRES(mutex_);
  Status Transit(Event event, const std::string& reason) EXCLUDES(mutex_);
  void Entered(const catalog::Transition& transition) REQUIRES(mutex_);
  Status TransitLocked(Event event, const std::string& reason) REQUIRES(mutex_);
  Observed Observe() const REQUIRES(mutex_);
  // As stored, but for Degraded where that cannot be stored yet.
  State ShownState() const REQUIRES(mutex_);
  // Running, or pausing from there: whether something needs attention.
  void DegradeIfRunning() EXCLUDES(mutex_);
  void WatchAttention(std::stop_token stop) EXCLUDES(mutex_);
  void OnQuarantine(std::stop_source& rest);
  // Runs `attempt` until it succeeds, fails for good, or is stopped.
  Status Retry(std::string_view what, const std::function<Status()>& attempt, std::stop_token stop);
  // Stores what a run led to; tried until it succeeds, or Shutdown.
  void Conclude(const Status& status);
  // `part` of the pipe is retrying because of `error`; nullptr: it is over.
  void OnRetry(std::string_view part, const Error* error) EXCLUDES(mutex_);
  void OnTakenBack(const std::string& table, const std::string& why);
  void OnSnapshotOpened(snapshot::Consistency consistency, size_t connections);
  // An event that cannot be stored is logged.
  void AddEvent(const catalog::EventRecord& event);

  // Change under mutex_: in Edit, while no thread works, and spec_ on the pipe's thread as well,
  // for new tables. Other threads read them under mutex_ while that works.
  Options options_;
  PipeSpec spec_;
  const std::string id_;
  const UnixMicros created_at_;
  const std::shared_ptr<Traffic> snapshot_traffic_ = std::make_shared<Traffic>();
  const std::shared_ptr<Traffic> stream_traffic_ = std::make_shared<Traffic>();

  mutable Mutex mutex_;
  Lifecycle lifecycle_ GUARDED_BY(mutex_);
  bool began_anew_ GUARDED_BY(mutex_) = false;  // without a place in the log, at the last resync
  std::string reason_ GUARDED_BY(mutex_);
  UnixMicros state_since_ GUARDED_BY(mutex_);
  UnixMicros updated_at_ GUARDED_BY(mutex_);
  struct Retrying {
    std::string error;
    uint64_t attempts = 0;
    SteadyTime since{};
  };
  std::vector<Attention> attention_ GUARDED_BY(mutex_);  // while it runs: why it is Degraded
  std::map<std::string, Retrying, std::less<>> retrying_ GUARDED_BY(mutex_);         // by part
  std::map<std::pair<std::string, ErrorCode>, uint64_t> errors_ GUARDED_BY(mutex_);  // counted
  std::shared_ptr<const std::vector<catalog::TableRecord>> tables_ GUARDED_BY(mutex_);
  std::shared_ptr<Journal> journal_ GUARDED_BY(mutex_);
  std::shared_ptr<snapshot::Loader> loader_ GUARDED_BY(mutex_);
  std::shared_ptr<LoadWatch> watch_ GUARDED_BY(mutex_);
  mutable RateMeter rate_ GUARDED_BY(mutex_);

  // The source is to be looked at for new tables, when it shows what it has logged up to made_to_.
  bool listing_due_ GUARDED_BY(mutex_) = false;
  std::optional<model::Position> made_to_ GUARDED_BY(mutex_);

  stream::Lacking lacking_;  // the streams', one at a time
  SteadyTime retry_rests_from_{};
  std::stop_source shutdown_ GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace penstock::pipe
