#include "pipe/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "base/random.h"
#include "obs/log.h"
#include "pipe/deletion.h"
#include "pipe/removals.h"
#include "pipe/runner.h"
#include "pipe/secret_files.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/table_patterns.h"

namespace penstock::pipe {
namespace {

// How long a command waits for what a deleted pipe has left at the servers.
constexpr std::chrono::seconds kCleanUpTimeout{5};

// How often, and after what time, a runner looks whether it may claim targets.
constexpr int kClaimTries = 20;
constexpr std::chrono::milliseconds kClaimPause{10};

// Likewise a check, whether they are cleaned up.
constexpr int kLeftTries = 20;
constexpr std::chrono::milliseconds kLeftPause{50};

Failure NoSuchPipe(const std::string& id) {
  return Fail(ErrorCode::kNotFound, "there is no pipe with the id {}", id);
}

std::string TextOf(const Finding& finding) {
  std::string text = fmt::format("{}: {}", finding.check, finding.message);
  if (!finding.remedy.empty()) {
    text += fmt::format(" ({}{}{})", finding.remedy, finding.statement.empty() ? "" : ": ",
                        finding.statement);
  }
  return text;
}

std::string ErrorsOf(const CheckReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kError) continue;
    if (!text.empty()) text += "; ";
    text += TextOf(finding);
  }
  return text;
}

// Of the tables that are kept: of those that were refused theirs others may have them.
Targets KeptTargets(const PipeSpec& before, const Runner::TablesChange& change,
                    const std::vector<catalog::TableRecord>& records) {
  Targets kept;
  for (size_t i = 0; i < before.tables.size(); ++i) {
    const bool goes =
        std::ranges::count(change.removed, i, &Runner::TablesChange::Removed::table) != 0;
    const bool was_refused = i < records.size() && WasRefused(records[i]);
    if (!goes && !was_refused) kept.insert(before.tables[i].target_table);
  }
  return kept;
}

// The tables that come are those from the first on.
Status CheckMappedOnce(const PipeSpec& spec, size_t first, const Targets& kept) {
  std::set<model::TableName> sources;
  std::map<std::string_view, const TableMapping*> owners;
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    const TableMapping& mapping = spec.tables[i];
    const bool is_new = sources.insert(mapping.source).second;
    if (i < first) {
      if (kept.contains(mapping.target_table)) owners.emplace(mapping.target_table, &mapping);
      continue;
    }
    if (!is_new) {
      return Fail(ErrorCode::kInvalidArgument, "{} is mapped already", mapping.source.ToString());
    }
    const auto [owner, is_free] = owners.emplace(mapping.target_table, &mapping);
    Status may = is_free ? Status() : CheckMayShare(*owner->second, mapping);
    if (may) continue;
    may.error().code = ErrorCode::kInvalidArgument;
    return may;
  }
  return {};
}

}  // namespace

class Supervisor::Impl {
 public:
  // A pipe and the lock under which it takes commands, one at a time.
  struct Pipe {
    Mutex edits;  // before `commands`: connections are tested while others may pause the pipe
    Mutex commands;
    std::unique_ptr<Runner> runner;

    void Start() {
      MutexLock lock(commands);
      runner->Start();
    }
  };

  explicit Impl(Options options) : options_(std::move(options)) {}

  Result<clickhouse::Endpoint> DestinationOf(const PipeSpec& spec) const {
    if (spec.clickhouse || options_.has_default_destination) {
      clickhouse::Endpoint endpoint = spec.clickhouse.value_or(options_.default_destination);
      endpoint.cluster = spec.cluster;
      return endpoint;
    }
    return Fail({.code = ErrorCode::kInvalidArgument,
                 .message = "destination.clickhouse: needed, since this server was started "
                            "without a destination of its own",
                 .remedy = "Start the server with --embedded-clickhouse or --clickhouse-url, then "
                           "the pipe"});
  }

  // To be started. `unusable`: what is known to keep it from working.
  std::shared_ptr<Pipe> Add(const catalog::PipeRecord& record, PipeSpec spec,
                            std::optional<Error> unusable) {
    auto destination = DestinationOf(spec);
    if (!destination && !unusable) unusable = destination.error();
    auto pipe = std::make_shared<Pipe>();
    pipe->runner = std::make_unique<Runner>(
        record, std::move(spec),
        Runner::Options{.catalog = options_.catalog,
                        .clock = &Clock::Real(),
                        .destination = std::move(destination).value_or(clickhouse::Endpoint()),
                        .embedded_url = EmbeddedUrl(),
                        .memory = {.bytes = options_.memory_limit_bytes,
                                   .share_bytes_min = options_.limits.share_bytes_min,
                                   .streams = &streams_memory_,
                                   .snapshots = &snapshots_memory_},
                        .prepared_folder = PreparedFolder(record.id),
                        .partition_budget = options_.limits.partition_budget,
                        .cleanup_interval = options_.limits.cleanup_interval,
                        .attention = options_.limits.attention,
                        .source_watch_interval = options_.limits.source_watch_interval,
                        .unusable = std::move(unusable),
                        .others = OthersOf(record.id)});
    MutexLock lock(mutex_);
    return pipes_.emplace(record.id, std::move(pipe)).first->second;
  }

  OtherPipes OthersOf(const std::string& id) {
    return {.find_taken = [this, id](const auto& of,
                                     const auto& targets) { return FindTaken(of, targets, id); },
            .find_kept = [this, id](const auto& of,
                                    const auto& removals) { return FindKept(of, removals, id); },
            .claim = [this](const auto& act) { return Claim(act); }};
  }

  // Whoever holds creating_ may be waiting for the runner that asks; or has just started it, and
  // lets go at once.
  Status Claim(const std::function<Status()>& act) {
    for (int tries = 0; tries < kClaimTries; ++tries) {
      const std::unique_lock lock(creating_, std::try_to_lock);
      if (lock) return act();
      Clock::Real().Wait(kClaimPause, {});
    }
    return Fail(ErrorCode::kRetry, "another pipe is being created or changed");
  }

  // What a pipe's stream holds of XA transactions; of all pipes by default.
  std::filesystem::path PreparedFolder(const std::string& pipe_id = "") const {
    return options_.data_dir / "prepared" / pipe_id;
  }

  // Of pipes that are gone: a process that died may have left them.
  void RemoveOtherFolders(const std::vector<catalog::PipeRecord>& records) const {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(PreparedFolder(), ignored)) {
      const bool known = std::ranges::count(records, entry.path().filename().string(),
                                            &catalog::PipeRecord::id) != 0;
      if (!known) std::filesystem::remove_all(entry.path(), ignored);
    }
  }

  // One that is not stored is logged: the pipe matters more.
  void AddWarnings(const std::string& pipe_id, UnixMicros at, const CheckReport& report) {
    for (const Finding& finding : report.findings) {
      if (finding.severity != Severity::kWarning) continue;
      const catalog::EventRecord event = {
          .at = at, .level = "warning", .kind = "check", .text = TextOf(finding)};
      const Status stored = options_.catalog->AddEvent(pipe_id, event);
      if (!stored) LogWarning("", "{}; not stored: {}", event.text, stored.error().ToString());
    }
  }

  Status CheckTargetsAreFree(const PipeSpec& spec, const Targets& targets,
                             const std::string& own_id = "") const {
    PENSTOCK_ASSIGN(auto taken, FindTaken(spec, targets, own_id));
    if (taken.empty()) return {};
    return Fail(std::move(taken.begin()->second));
  }

  // A moment, for what is being cleaned up: a pipe that takes the place of a deleted one comes soon
  // after.
  void AwaitLeft(const PipeSpec& spec, const std::string& own_id) const {
    for (int i = 0; i < kLeftTries; ++i) {
      TakenTargets left;
      const Status found = FindLeft(spec, TargetsOf(spec.tables), own_id, left);
      if (!found || left.empty() || !Clock::Real().Wait(kLeftPause, {})) return;
    }
  }

  // Without a destination nothing is known of targets, and another check says so.
  Ownership OwnershipOf(const PipeSpec& spec, Targets in_use = {},
                        const std::string& own_id = "") const {
    Ownership ownership{.targets_in_use = std::move(in_use)};
    for (const auto& pipe : All()) {
      const PipeStatus other = pipe->runner->status(0);
      if (other.id == own_id || other.spec.name != spec.name) continue;
      ownership.name_taken = Error{.code = ErrorCode::kConflict,
                                   .message = fmt::format("a pipe named {} exists", spec.name),
                                   .remedy = "Choose another name, or delete that pipe"};
    }
    if (DestinationOf(spec)) {
      AwaitLeft(spec, own_id);
      ownership.targets_taken = FindTaken(spec, TargetsOf(spec.tables), own_id);
    }
    return ownership;
  }

  // `own_id` is the pipe's, once it has one.
  Result<TakenTargets> FindTaken(const PipeSpec& spec, const Targets& targets,
                                 const std::string& own_id) const {
    PENSTOCK_ASSIGN(auto taken, FindTakenByPipes(spec, targets, own_id, ClaimKind::kAny));
    PENSTOCK_TRY(FindLeft(spec, targets, own_id, taken));
    return taken;
  }

  Result<TakenTargets> FindKept(const PipeSpec& spec,
                                const std::vector<catalog::RemovalRecord>& removals,
                                const std::string& own_id) const {
    std::map<ClaimKind, Targets> targets;
    for (const auto& removal : removals) {
      targets[removal.only_if_empty ? ClaimKind::kAny : ClaimKind::kMade].insert(removal.target);
    }
    TakenTargets kept;
    for (const auto& [kind, those] : targets) {
      PENSTOCK_ASSIGN(auto taken, FindTakenByPipes(spec, those, own_id, kind));
      kept.merge(std::move(taken));
    }
    return kept;
  }

  Result<TakenTargets> FindTakenByPipes(const PipeSpec& spec, const Targets& targets,
                                        const std::string& own_id, ClaimKind kind) const {
    PENSTOCK_ASSIGN(const auto destination, DestinationOf(spec));
    TakenTargets taken;
    for (const auto& pipe : All()) {
      const PipeStatus status = pipe->runner->status(0);
      const auto other = DestinationOf(status.spec);
      if (status.id == own_id || !other || other->url != destination.url ||
          status.spec.database != spec.database) {
        continue;
      }
      PENSTOCK_ASSIGN(const auto claims,
                      ClaimsOf(*options_.catalog, status.id, status.spec, targets, kind));
      for (const std::string& target : claims) {
        taken.emplace(target,
                      Error{.code = ErrorCode::kConflict,
                            .message = fmt::format("the target {}.{} belongs to the pipe {}",
                                                   spec.database, target, status.spec.name)});
      }
    }
    return taken;
  }

  std::string EmbeddedUrl() const {
    return options_.default_is_embedded ? options_.default_destination.url : "";
  }

  // Adds those that are yet to be cleaned up: of pipes that are deleted, and of tables that others
  // map no more.
  Status FindLeft(const PipeSpec& spec, const Targets& targets, const std::string& own_id,
                  TakenTargets& taken) const {
    PENSTOCK_ASSIGN(const auto destination, DestinationOf(spec));
    const auto add = [&](const std::string& id, const PipeSpec& other, const std::string& owner,
                         const std::string& when) -> Status {
      if (other.database != spec.database) return {};
      PENSTOCK_ASSIGN(const auto removals, options_.catalog->Removals(id));
      for (const auto& removal : removals) {
        if (!IsAt(removal, other, destination, EmbeddedUrl())) continue;
        if (!targets.contains(removal.target)) continue;
        taken.emplace(removal.target,
                      Error{.code = ErrorCode::kConflict,
                            .message = fmt::format(
                                "the target {}.{} belonged to {}, and is yet to be cleaned up",
                                spec.database, removal.target, owner),
                            .remedy = "Try again when ClickHouse answers" + when +
                                      "; where the server has another destination than it had, "
                                      "start it with that one"});
      }
      return {};
    };
    PENSTOCK_ASSIGN(const auto deleted, options_.catalog->DeletedPipes());
    for (const auto& record : deleted) {
      auto other = SpecOf(record);
      if (!other) {
        other.emplace();
        other->name = record.id;
        other->database = spec.database;
      }
      PENSTOCK_TRY(
          add(record.id, *other, fmt::format("the pipe {}, which is deleted", other->name), ""));
    }
    for (const auto& pipe : All()) {
      const PipeStatus other = pipe->runner->status(0);
      if (other.id == own_id) continue;
      PENSTOCK_TRY(add(other.id, other.spec,
                       fmt::format("a table that was removed from the pipe {}", other.spec.name),
                       " and that pipe is started"));
    }
    return {};
  }

  Result<PipeSpec> SpecOf(const catalog::PipeRecord& record) const {
    const auto body = nlohmann::json::parse(record.spec, nullptr, /*allow_exceptions=*/false);
    return FromStored(body, options_.limits);
  }

  // Where the pipe's removals are to be done in this process.
  Result<clickhouse::Endpoint> DestinationOfDeleted(const std::string& id,
                                                    const PipeSpec& spec) const {
    if (spec.database.empty()) return Fail(ErrorCode::kNotFound, "its settings cannot be read");
    PENSTOCK_ASSIGN(auto destination, DestinationOf(spec));
    if (spec.clickhouse) return destination;
    PENSTOCK_ASSIGN(const auto removals, options_.catalog->Removals(id));
    const auto is_here = [&](const catalog::RemovalRecord& removal) {
      return IsAt(removal, spec, destination, EmbeddedUrl());
    };
    if (removals.empty() || std::ranges::any_of(removals, is_here)) return destination;
    return Fail(ErrorCode::kNotFound, "{}", WaitsFor(removals.front().url));
  }

  // A pipe that the catalog has as deleted, in place of its runner. nullptr where what is left of
  // it waits for a process that has its destination.
  std::shared_ptr<Deletion> FinishDeletion(const std::string& id, const PipeSpec& spec) {
    std::error_code ignored;  // the next start removes what is left
    std::filesystem::remove_all(PreparedFolder(id), ignored);
    std::filesystem::remove_all(RetryFolder(PreparedFolder(id)), ignored);
    auto destination = DestinationOfDeleted(id, spec);
    std::shared_ptr<Deletion> deletion;
    if (destination) {
      deletion =
          std::make_shared<Deletion>(Deletion::Options{.catalog = options_.catalog,
                                                       .clock = &Clock::Real(),
                                                       .pipe_id = id,
                                                       .spec = spec,
                                                       .destination = *std::move(destination),
                                                       .embedded_url = EmbeddedUrl(),
                                                       .others = OthersOf(id)});
    } else {
      LogWarning(spec.name, "deleted, but for what is left at the destination: {}",
                 destination.error().ToString());
    }
    MutexLock lock(mutex_);
    std::erase_if(deletions_, [](const auto& other) { return other->done(); });
    if (deletion) deletions_.push_back(deletion);
    pipes_.erase(id);
    return deletion;
  }

  // What earlier processes have left to do.
  Status FinishDeletions() {
    PENSTOCK_ASSIGN(const auto records, options_.catalog->DeletedPipes());
    for (const auto& record : records) {
      const auto spec = SpecOf(record);
      if (spec) {
        FinishDeletion(record.id, *spec);
      } else {
        LogWarning("", "tables of a deleted pipe may be left: {}", spec.error().ToString());
      }
    }
    return {};
  }

  // Adds the tables that the mappings from the first of these on stand for. `kept`: the first
  // tables, which the pipe has already.
  static Status AddTables(PipeSpec& spec, size_t first_mapping, size_t kept,
                          const std::set<model::TableName>& refused, const std::stop_token& stop) {
    Status added = AddFromPatterns(spec, first_mapping, stop);
    MarkShards(spec, kept, refused);
    return added;
  }

  static Status AddFromPatterns(PipeSpec& spec, size_t first_mapping, const std::stop_token& stop) {
    const auto first = spec.mappings.begin() + static_cast<std::ptrdiff_t>(first_mapping);
    const auto is_pattern = [](const TableMapping& mapping) { return IsPattern(mapping.source); };
    if (std::none_of(first, spec.mappings.end(), is_pattern)) return {};
    PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec.source, spec.name + " check", stop));
    PENSTOCK_ASSIGN(const auto listed, ListForPatterns(source, spec, stop));
    for (TableMapping& table : NewTables(spec, listed)) {
      if (*table.pattern >= first_mapping) spec.tables.push_back(std::move(table));
    }
    return {};
  }

  // Also what the source has of the tables.
  CheckReport Check(const PipeSpec& spec, Ownership ownership,
                    std::map<model::TableName, model::Table>& definitions,
                    std::stop_token stop) const {
    auto destination = DestinationOf(spec);
    CheckContext context{.spec = spec,
                         .ownership = std::move(ownership),
                         .destination_endpoint = destination ? *std::move(destination)
                                                             : clickhouse::Endpoint{.url = ""},
                         .stop = std::move(stop)};
    CheckReport report = RunChecks(context);
    // What cannot be planned, a check has found already.
    auto ddl = PlannedDdl(spec, context.tables, context.existing.value_or(Existing()));
    if (ddl) report.ddl = *std::move(ddl);
    definitions = std::move(context.tables);
    return report;
  }

  // What a change does to the tables; those that come are checked as those of a new pipe.
  // As new tables, but that their targets are there.
  Status CheckRemapped(const PipeSpec& before, PipeSpec after,
                       const std::vector<RemappedTable>& remapped,
                       const std::vector<catalog::TableRecord>& records,
                       const std::stop_token& stop) const {
    if (remapped.empty()) return {};
    if (before.settings.mode == ReplicationMode::kSnapshot) {
      return Fail(ErrorCode::kInvalidArgument,
                  "source.mysql.tableMappingsToAdd: replicationMode snapshot: mappings cannot be "
                  "changed. Delete the pipe and create another");
    }
    // With those that share their targets, but for what is gone.
    const auto is_asked = [&](const TableMapping& mapping) {
      const auto is_gone = [&](const catalog::TableRecord& record) {
        return record.definition.name == mapping.source && record.quarantine &&
               record.quarantine->gone;
      };
      const auto shares = [&](const RemappedTable& one) {
        return before.tables[one.table].target_table == mapping.target_table;
      };
      return std::ranges::none_of(records, is_gone) && std::ranges::any_of(remapped, shares);
    };
    std::erase_if(after.tables, std::not_fn(is_asked));
    if (after.tables.empty()) return {};
    std::map<model::TableName, model::Table> definitions;
    CheckReport report = Check(after, {}, definitions, stop);
    std::erase_if(report.findings,
                  [](const Finding& finding) { return finding.check == "target_tables"; });
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the server is stopping");
    return report.ok() ? Status() : Fail(ErrorCode::kInvalidArgument, "{}", ErrorsOf(report));
  }

  // The tables from the first on, as shards of what those before them have in use: each target's
  // first one that is followed tells what it is like.
  void CheckBeside(PipeSpec spec, size_t first, const std::vector<catalog::TableRecord>& records,
                   CheckReport& report, const std::stop_token& stop) const {
    std::set<model::TableName> set_aside;
    for (const auto& record : records) {
      if (record.quarantine || record.ddl.empty()) set_aside.insert(record.definition.name);
    }
    const auto come = spec.tables.begin() + static_cast<std::ptrdiff_t>(first);
    Targets targets = TargetsOf({come, spec.tables.end()});
    const auto is_not_asked = [&](const TableMapping& mapping) {
      return !mapping.tells_source || set_aside.contains(mapping.source) ||
             targets.erase(mapping.target_table) == 0;
    };
    const auto asked = std::remove_if(spec.tables.begin(), come, is_not_asked);
    if (asked == spec.tables.begin()) return;
    spec.tables.erase(asked, come);
    std::map<model::TableName, model::Table> definitions;
    CheckReport beside = Check(spec, {}, definitions, stop);
    const auto is_of_shards = [](const Finding& finding) { return finding.check == "shards"; };
    std::erase_if(report.findings, is_of_shards);
    std::ranges::copy_if(beside.findings, std::back_inserter(report.findings), is_of_shards);
  }

  Result<Runner::TablesChange> TablesChangeOf(const std::string& id, const PipeSpec& before,
                                              const PipeSpec& after, const PipeChange& change,
                                              const std::vector<catalog::TableRecord>& records,
                                              CheckReport& report,
                                              const std::stop_token& stop) const {
    Runner::TablesChange tables{.tables_before = before.tables.size()};
    PENSTOCK_ASSIGN(const auto removed, TablesToRemove(before, change));
    for (const auto& [table, drop_target] : removed) {
      tables.removed.push_back({.table = table, .drop_target = drop_target});
    }
    tables.remapped = RemappedTables(before, change, after);
    if (!records.empty()) {
      PENSTOCK_TRY(CheckRemapped(before, after, tables.remapped, records, stop));
    }
    if (change.tables_to_add.empty()) return tables;
    const size_t first = before.tables.size() - removed.size();
    const Targets kept = KeptTargets(before, tables, records);
    PENSTOCK_TRY(CheckMappedOnce(after, first, kept));
    PipeSpec added = after;
    added.tables.erase(added.tables.begin(),
                       added.tables.begin() + static_cast<std::ptrdiff_t>(first));
    std::map<model::TableName, model::Table> definitions;
    Targets joined = kept;  // with the rows that are there
    for (const TableMapping& table : added.tables) {
      if (table.tells_source) joined.insert(table.target_table);
    }
    report = Check(added, OwnershipOf(added, std::move(joined), id), definitions, stop);
    CheckBeside(after, first, records, report, stop);
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the server is stopping");
    if (!report.ok()) return Fail(ErrorCode::kInvalidArgument, "{}", ErrorsOf(report));
    for (const TableMapping& mapping : added.tables) {
      tables.added.push_back(
          {.definition = definitions.at(mapping.source), .target = mapping.target_table});
    }
    return tables;
  }

  std::shared_ptr<Pipe> Find(const std::string& id) const {
    MutexLock lock(mutex_);
    const auto found = pipes_.find(id);
    return found == pipes_.end() ? nullptr : found->second;
  }

  std::vector<std::shared_ptr<Pipe>> All() const {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<Pipe>> all;
    for (const auto& [id, pipe] : pipes_) all.push_back(pipe);
    return all;
  }

  std::vector<Figures::Memory> Memory() const {
    const uint64_t streams = options_.memory_limit_bytes / 2;
    const uint64_t snapshots = options_.memory_limit_bytes / 4;
    return {
        {.share = "stream", .bytes = streams, .used = streams - streams_memory_.left()},
        {.share = "snapshot", .bytes = snapshots, .used = snapshots - snapshots_memory_.left()}};
  }

  // For a batch or a block of a pipe when the others have all that is to be shared.
  static constexpr uint64_t kOwnMemory = 128 << 10;

  const Options options_;
  MemoryBudget streams_memory_{options_.memory_limit_bytes / 2, kOwnMemory};
  MemoryBudget snapshots_memory_{options_.memory_limit_bytes / 4, kOwnMemory};
  // Held from the look at the targets of other pipes until what claims some is in the catalog.
  std::mutex creating_;

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Pipe>> pipes_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Deletion>> deletions_ GUARDED_BY(mutex_);
};

Supervisor::Supervisor(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Supervisor::~Supervisor() {
  const auto pipes = impl_->All();
  for (const auto& pipe : pipes) pipe->runner->RequestShutdown();
  for (const auto& pipe : pipes) {
    MutexLock lock(pipe->commands);
    pipe->runner->Shutdown();
  }
}

Status Supervisor::Start() {
  PENSTOCK_ASSIGN(const auto records, impl_->options_.catalog->Pipes());
  impl_->RemoveOtherFolders(records);
  for (const auto& record : records) {
    auto spec = impl_->SpecOf(record);
    if (spec) {
      impl_->Add(record, *std::move(spec), std::nullopt);
    } else {
      PipeSpec unknown;
      unknown.name = record.name;
      impl_->Add(record, std::move(unknown), spec.error().In("the stored settings"));
    }
  }
  PENSTOCK_TRY(impl_->FinishDeletions());
  for (const auto& pipe : impl_->All()) pipe->Start();  // each sees all
  return {};
}

Result<PipeSpec> Supervisor::Parse(const nlohmann::json& body) const {
  nlohmann::json resolved = body;
  PENSTOCK_TRY(ReadSecretFiles(resolved, impl_->options_.secrets_dir));
  return ParsePipeSpec(resolved, impl_->options_.limits);
}

CheckReport Supervisor::Check(PipeSpec& spec, std::stop_token stop) {
  std::map<model::TableName, model::Table> definitions;
  const Status added = Impl::AddTables(spec, 0, 0, {}, stop);
  CheckReport report = impl_->Check(spec, impl_->OwnershipOf(spec), definitions, std::move(stop));
  if (!added && report.ok()) {  // where the source does not answer at all, a check tells of it
    report.findings.push_back({.check = "table_patterns",
                               .group = CheckGroup::kTables,
                               .severity = Severity::kError,
                               .message = added.error().ToString(),
                               .remedy = "Try again",
                               .statement = {}});
  }
  return report;
}

Result<PipeStatus> Supervisor::Create(PipeSpec spec, std::stop_token stop) {
  const CheckReport report = Check(spec, std::move(stop));
  if (!report.ok()) return Fail(ErrorCode::kInvalidArgument, "{}", ErrorsOf(report));
  const UnixMicros now = Clock::Real().Wall();
  const catalog::PipeRecord record{.id = RandomUuid(),
                                   .name = spec.name,
                                   .spec = ToStored(spec).dump(),
                                   .state = std::string(StateName(State::kProvisioning)),
                                   .resume_state = "",
                                   .reason = "created by the user",
                                   .state_since = now,
                                   .created_at = now,
                                   .updated_at = now};
  {
    const std::lock_guard lock(impl_->creating_);
    PENSTOCK_TRY(impl_->CheckTargetsAreFree(spec, TargetsOf(spec.tables)));
    PENSTOCK_TRY(impl_->options_.catalog->CreatePipe(record));
    impl_->AddWarnings(record.id, now, report);
    impl_->Add(record, std::move(spec), std::nullopt)->Start();
  }
  return Get(record.id, 0);
}

pipe::Figures Supervisor::Figures() const {
  pipe::Figures figures;
  for (const auto& pipe : impl_->All()) figures.pipes.push_back(pipe->runner->figures());
  figures.memory = impl_->Memory();
  return figures;
}

Result<PipeStatus> Supervisor::Get(const std::string& id, size_t tables_max) const {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  return pipe->runner->status(tables_max);
}

std::vector<PipeStatus> Supervisor::List() const {
  std::vector<PipeStatus> list;
  for (const auto& pipe : impl_->All()) list.push_back(pipe->runner->status(0));
  return list;
}

Result<PipeStatus> Supervisor::Apply(const std::string& id, Command command) {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  MutexLock lock(pipe->commands);
  if (impl_->Find(id) != pipe) return NoSuchPipe(id);  // deleted meanwhile
  PENSTOCK_TRY(pipe->runner->Apply(command == Command::kStart ? Event::kStart : Event::kStop));
  return pipe->runner->status(0);
}

Result<PipeStatus> Supervisor::RetryTables(const std::string& id,
                                           const std::vector<model::TableName>& tables) {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  MutexLock lock(pipe->commands);
  if (impl_->Find(id) != pipe) return NoSuchPipe(id);  // deleted meanwhile
  PENSTOCK_TRY(pipe->runner->RetryTables(tables));
  return pipe->runner->status(0);
}

Result<PipeStatus> Supervisor::Resync(const std::string& id,
                                      const std::vector<model::TableName>& tables) {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  MutexLock lock(pipe->commands);
  if (impl_->Find(id) != pipe) return NoSuchPipe(id);  // deleted meanwhile
  PENSTOCK_TRY(pipe->runner->Resync(tables));
  return pipe->runner->status(0);
}

Result<PipeStatus> Supervisor::Edit(const std::string& id, const PipeChange& change,
                                    const std::stop_token& stop) {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  MutexLock edit(pipe->edits);
  const PipeSpec before = pipe->runner->status(0).spec;
  PipeChange resolved = change;
  PENSTOCK_TRY(ReadSecretFiles(resolved.fields, impl_->options_.secrets_dir));
  TakeRemapped(before, resolved);
  PENSTOCK_ASSIGN(PipeSpec after, Changed(before, resolved, impl_->options_.limits));
  PENSTOCK_ASSIGN(const auto removed, TablesToRemove(before, resolved));
  PENSTOCK_ASSIGN(const auto tables, impl_->options_.catalog->Tables(id));
  PENSTOCK_TRY(Impl::AddTables(after, after.mappings.size() - resolved.tables_to_add.size(),
                               before.tables.size() - removed.size(), RefusedOf(tables), stop));
  CheckReport report;
  PENSTOCK_ASSIGN(const auto tables_change,
                  impl_->TablesChangeOf(id, before, after, resolved, tables, report, stop));
  const std::vector<std::string> fields = ChangedFields(before, after);
  if (fields.empty()) return pipe->runner->status(0);
  PENSTOCK_ASSIGN(auto destination, impl_->DestinationOf(after));
  const auto was_at = impl_->DestinationOf(before);
  const bool moves = !was_at || was_at->url != destination.url;
  Targets claimed = moves ? KeptTargets(before, tables_change, tables) : Targets();
  std::vector<std::string> targets;
  std::set<model::TableName> names;  // as the source has them
  for (size_t i = 0; i < tables.size(); ++i) {
    if (std::ranges::count(tables_change.removed, i, &Runner::TablesChange::Removed::table) != 0) {
      continue;
    }
    names.insert(tables[i].definition.name);
    if (!tables[i].ddl.empty()) targets.push_back(tables[i].target);
  }
  for (const auto& added : tables_change.added) {
    claimed.insert(added.target);
    if (!names.contains(added.definition.name)) continue;
    return Fail(ErrorCode::kInvalidArgument, "the pipe has the table {} already, spelled otherwise",
                added.definition.name.ToString());
  }
  PENSTOCK_TRY(CheckServers(after, destination, fields, targets, stop));
  const std::lock_guard creating(impl_->creating_);
  PENSTOCK_TRY(impl_->CheckTargetsAreFree(after, claimed, id));
  MutexLock lock(pipe->commands);
  if (impl_->Find(id) != pipe) return NoSuchPipe(id);  // deleted meanwhile
  PENSTOCK_TRY(pipe->runner->Edit(std::move(after), std::move(destination), fields, tables_change));
  impl_->AddWarnings(id, Clock::Real().Wall(), report);
  return pipe->runner->status(0);
}

Result<std::optional<catalog::AnswerRecord>> Supervisor::Answer(const std::string& key) const {
  return impl_->options_.catalog->Answer(key);
}

Status Supervisor::SaveAnswer(const catalog::AnswerRecord& answer) {
  return impl_->options_.catalog->SaveAnswer(answer);
}

Result<std::string> Supervisor::Setting(const std::string& name) const {
  return impl_->options_.catalog->Setting(name);
}

Status Supervisor::SaveSetting(const std::string& name, const std::string& value) {
  return impl_->options_.catalog->SaveSetting(name, value);
}

Result<std::vector<catalog::EventRecord>> Supervisor::Events(const std::string& id,
                                                             size_t limit) const {
  if (!impl_->Find(id)) return NoSuchPipe(id);
  return impl_->options_.catalog->Events(id, limit);
}

Result<std::vector<catalog::Transition>> Supervisor::Transitions(const std::string& id,
                                                                 size_t limit) const {
  if (!impl_->Find(id)) return NoSuchPipe(id);
  return impl_->options_.catalog->Transitions(id, limit);
}

Result<std::vector<BatchStatus>> Supervisor::Batches(const std::string& id, size_t limit) const {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  return pipe->runner->Batches(limit);
}

Result<std::vector<PartitionStatus>> Supervisor::Partitions(const std::string& id,
                                                            const std::string& table,
                                                            size_t limit) const {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  return pipe->runner->Partitions(table, limit);
}

Status Supervisor::Delete(const std::string& id, bool drop_targets, std::stop_token stop) {
  const auto pipe = impl_->Find(id);
  if (!pipe) return NoSuchPipe(id);
  MutexLock lock(pipe->commands);
  if (impl_->Find(id) != pipe) return NoSuchPipe(id);  // deleted meanwhile
  pipe->runner->Shutdown();
  const PipeSpec spec = pipe->runner->status(0).spec;
  catalog::Catalog& catalog = *impl_->options_.catalog;
  Status deleted = pipe->runner->RemovalsOfAll(drop_targets).and_then([&](const auto& removals) {
    const bool is_known = !spec.database.empty();  // else nothing can be done for it
    return is_known ? catalog.BeginDeletion(id, removals) : catalog.DeletePipe(id);
  });
  if (!deleted) {
    pipe->runner->Start();
    return deleted;
  }
  if (const auto deletion = impl_->FinishDeletion(id, spec)) {
    deletion->AwaitDone(kCleanUpTimeout, std::move(stop));
  }
  return {};
}

}  // namespace penstock::pipe
