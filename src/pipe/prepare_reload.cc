#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "clickhouse/errors.h"
#include "clickhouse/shard_rows.h"
#include "clickhouse/table_writes.h"
#include "pipe/setup.h"
#include "pipe/shards.h"
#include "pipe/target_tables.h"
#include "pipe/whole_load.h"

namespace penstock::pipe {
namespace {

using Tables = std::vector<catalog::TableRecord>;

Error NoSuchTable(const model::TableName& name) {
  return {.code = ErrorCode::kNeedsUser,
          .message = fmt::format("table {} does not exist", name.ToString()),
          .origin = "source",
          .native_code = 0,
          .remedy = "Create it and resync it"};
}

Error OtherShape(const std::string& target) {
  return {.code = ErrorCode::kNeedsUser,
          .message = fmt::format("the Null table {} has not the columns of its source", target),
          .origin = "destination",
          .native_code = 0,
          .remedy = "Drop it, make it anew (check prints the statement), and resync it"};
}

std::vector<model::TableName> NamesOf(const Tables& all, const std::vector<size_t>& places) {
  std::vector<model::TableName> names;
  names.reserve(places.size());
  for (const size_t place : places) names.push_back(all[place].definition.name);
  return names;
}

// What is held of prepared XA transactions is of the tables that were followed then.
std::optional<catalog::Checkpoint> HeldFor(const Tables& all, const std::vector<size_t>& places,
                                           std::optional<catalog::Checkpoint> checkpoint) {
  const auto is_new = [&](size_t place) { return all[place].ddl.empty(); };
  if (checkpoint && std::ranges::any_of(places, is_new)) checkpoint->prepared.clear();
  return checkpoint;
}

// Collations tell only of columns that are yet to be added, and not every record has them.
bool IsAlike(model::Table one, model::Table other) {
  for (model::Table* table : {&one, &other}) {
    table->collation.clear();
    for (model::Column& column : table->columns) column.collation.clear();
  }
  return one == other;
}

// Why it may not be used, if so.
using Misfit = std::optional<Error>;

Result<Misfit> FindMisfit(clickhouse::Client& client, const clickhouse::TableSpec& target,
                          const Targets& in_use, std::stop_token stop) {
  return FindMisfits(client, {target}, in_use, std::move(stop)).map([](const auto& misfits) {
    return misfits.empty() ? Misfit() : Misfit(misfits.front());
  });
}

Result<Misfit> MakeTarget(clickhouse::Client& client, const clickhouse::TableSpec& target,
                          std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto existing,
                  ReadExistingTables(client, target.database, {target.table}, stop));
  if (existing.empty()) {
    PENSTOCK_TRY(client.Query(clickhouse::CreateTable(target),
                              clickhouse::CreateTableSettings(target), stop));
  }
  return FindMisfit(client, target, {}, std::move(stop));
}

// Where none of the pipe's tables is in the target any more, whose rows they are is not known.
Result<Misfit> FindRowsOf(clickhouse::Client& client, const clickhouse::TableSpec& target,
                          const clickhouse::Shard& shard, std::stop_token stop) {
  const std::string name = clickhouse::QuoteTable(target.database, target.table);
  const std::string those = clickhouse::IsOfShard(shard);
  PENSTOCK_ASSIGN(
      const auto any,
      client.Rows(fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1", name, those), std::move(stop)));
  if (any.empty()) return std::nullopt;
  return Error{.code = ErrorCode::kNeedsUser,
               .message = fmt::format("the target table {} exists and holds rows of {}.{}", name,
                                      shard.schema, shard.table),
               .origin = "destination",
               .native_code = 0,
               .remedy = fmt::format("Delete them (ALTER TABLE {} DELETE WHERE {}), or choose "
                                     "another targetTable; then resync the table",
                                     name, those)};
}

// A target that other shards have filled must fit this one, and hold no row of it if it is loaded.
// One that is gone is not made again: the others would go on in it without what they had.
struct Joining {
  std::optional<clickhouse::Shard> loaded;
  bool is_in_use = true;
};
Result<Misfit> JoinTarget(clickhouse::Client& client, const clickhouse::TableSpec& target,
                          const Joining& joining, Clock& clock, std::stop_token stop) {
  const auto& [loaded, is_in_use] = joining;
  PENSTOCK_ASSIGN(const auto existing,
                  ReadExistingTables(client, target.database, {target.table}, stop));
  if (existing.empty()) {
    return Error{.code = ErrorCode::kNeedsUser,
                 .message = fmt::format("the target table {} is gone", target.table),
                 .origin = "destination",
                 .native_code = 0,
                 .remedy = "Resync all that share it"};
  }
  PENSTOCK_ASSIGN(const auto misfit, FindMisfit(client, target, {target.table}, stop));
  if (misfit || !loaded) return misfit;
  if (!is_in_use) return FindRowsOf(client, target, *loaded, std::move(stop));
  // Also what is carried over into it (kept_rows.h) is of no shard alone.
  PENSTOCK_TRY(clickhouse::EndWrites(client, target.database, target.table, clock, stop));
  PENSTOCK_TRY(clickhouse::DeleteShard(client, target.database, target.table, *loaded, clock,
                                       std::move(stop)));
  return std::nullopt;
}

// Those tables whose load is to be done anew, by target. One that was loaded before is with all
// that share its target, since this is made anew as a whole.
using Groups = std::map<std::string, std::vector<size_t>>;
Groups GroupsOf(const Tables& all) {
  std::set<std::string> anew;
  for (const auto& table : all) {
    if (table.reload_wanted && !table.ddl.empty()) anew.insert(table.target);
  }
  Groups groups;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool with_others = anew.contains(all[i].target) && !all[i].ddl.empty();
    if (all[i].reload_wanted || with_others) groups[all[i].target].push_back(i);
  }
  return groups;
}

class ReloadMaker {
 public:
  ReloadMaker(const clickhouse::Endpoint& destination, const PipeSpec& spec, const Tables& all,
              const ReloadFrom& from, Clock& clock, std::stop_token stop)
      : destination_(destination),
        client_(destination),
        spec_(spec),
        all_(all),
        from_(from),
        clock_(clock),
        stop_(std::move(stop)) {}

  Result<Reload> Make() {
    const Groups groups = GroupsOf(all_);
    std::vector<size_t> places;
    for (const auto& [target, of_target] : groups) {
      places.insert(places.end(), of_target.begin(), of_target.end());
    }
    PENSTOCK_ASSIGN(source_, ReadSourceNow(spec_, NamesOf(all_, places),
                                           HeldFor(all_, places, from_.checkpoint), clock_, stop_));
    std::vector<DdlStatement> statements;
    for (const auto& [target, of_target] : groups) {
      const bool is_first =
          std::ranges::all_of(of_target, [&](size_t i) { return all_[i].ddl.empty(); });
      PENSTOCK_TRY(is_first ? First(of_target) : Anew(of_target, statements));
    }
    PENSTOCK_TRY(DropLoadTargets(client_, spec_.database, begun_, stop_));
    PENSTOCK_TRY(RunStatements(destination_, statements, stop_));
    if (!from_.checkpoint) {
      reload_.checkpoint = {.position = source_.position,
                            .versions_reserved_end = kFirstStreamVersion};
    }
    return std::move(reload_);
  }

 private:
  Result<clickhouse::TableSpec> TargetOf(size_t place) const {
    if (const auto why = from_.refused.find(place); why != from_.refused.end()) {
      return Fail(why->second);
    }
    const model::TableName& name = all_[place].definition.name;
    const auto definition = source_.definitions.find(name);
    if (definition == source_.definitions.end()) return Fail(NoSuchTable(name));
    return TargetTable(spec_, spec_.tables.at(place), definition->second);
  }

  // One that cannot be loaded now: the others are. Nobody asked whether what it had is whole.
  void SetAside(size_t place, const Error& why) {
    catalog::TableRecord table = all_[place];
    table.reload_wanted = false;
    table.load_target.clear();
    table.keeps_target_fresh = false;
    table.partitions_planned = false;
    if (table.quarantine) {
      table.quarantine->reason = why.ToString();
    } else {
      table.quarantine = {
          .position = from_.checkpoint ? from_.checkpoint->position : source_.position,
          .reason = why.ToString(),
          .since = clock_.Wall()};
    }
    table.quarantine->gone = !source_.definitions.contains(table.definition.name);
    reload_.tables.push_back(std::move(table));
  }

  // The first load of a table that was added to its pipe.
  void BeginFirst(size_t place, const clickhouse::TableSpec& target,
                  const std::string& load_target) {
    catalog::TableRecord table = all_[place];
    table.reload_wanted = false;
    table.definition = source_.definitions.at(table.definition.name);
    table.ddl = clickhouse::CreateTable(target);
    table.load_target = load_target;
    table.partitions_planned = spec_.settings.mode == ReplicationMode::kCdcOnly;
    table.start = source_.position;
    table.quarantine.reset();
    reload_.tables.push_back(std::move(table));
  }

  // The source has it by the definition that it is followed by.
  bool IsAsFollowed(size_t place) const {
    const auto now = source_.definitions.find(all_[place].definition.name);
    return now != source_.definitions.end() && IsAlike(now->second, all_[place].definition);
  }

  // What concerns these tables alone sets them aside. Answers whether all is well.
  Result<bool> IsWell(const Result<Misfit>& done, const std::vector<size_t>& places) {
    if (done && !*done) return true;
    const bool of_one = done || clickhouse::ConcernsOneTable(done.error());
    if (!of_one) return Fail(done.error());
    for (const size_t place : places) SetAside(place, done ? **done : done.error());
    return false;
  }

  // What the tables of these places make of their target, but for those that do not fit, which are
  // told with why not.
  std::optional<clickhouse::TableSpec> Joined(const std::vector<size_t>& places,
                                              std::map<size_t, Error>& misfits) const {
    std::optional<clickhouse::TableSpec> joined;
    for (const size_t place : places) {
      auto target = TargetOf(place);
      const Status fits =
          target && joined ? AddShard(*target, *joined) : target.map([](const auto&) {});
      if (!fits) misfits.emplace(place, fits.error());
      if (fits && !joined) joined = *std::move(target);
    }
    return joined;
  }

  // Tables that left the pipe may have left rows in the target, which stay.
  Result<bool> HasKeptRows(size_t place) {
    if (!spec_.tables.at(place).tells_source) return false;
    PENSTOCK_ASSIGN(const auto existing,
                    ReadExistingTables(client_, spec_.database, {all_[place].target}, stop_));
    return !existing.empty() && existing.begin()->second.rows != "0";
  }

  // Tables of which none of the target's was loaded before, but perhaps other ones.
  Status First(std::vector<size_t> places) {
    const auto in_use = std::ranges::find_if(all_, [&](const auto& table) {
      return table.target == all_[places[0]].target && !table.ddl.empty();
    });
    PENSTOCK_ASSIGN(const bool has_kept_rows, HasKeptRows(places[0]));
    if (in_use != all_.end() || has_kept_rows) {
      for (const size_t place : places) PENSTOCK_TRY(Join(place));
      return {};
    }
    std::map<size_t, Error> misfits;
    const auto target = Joined(places, misfits);
    for (const auto& [place, why] : misfits) SetAside(place, why);
    std::erase_if(places, [&](size_t place) { return misfits.contains(place); });
    if (!target) return {};
    begun_.push_back(all_[places[0]]);
    PENSTOCK_ASSIGN(const bool made, IsWell(MakeTarget(client_, *target, stop_), places));
    for (const size_t place : places) {
      if (made) BeginFirst(place, *target, "");
    }
    return {};
  }

  // A shard of a target in use, or of the table that is loaded to take the target's place: no row
  // of its source may be there.
  Status Join(size_t place) {
    Joining joining{.loaded = {}, .is_in_use = false};
    std::string load_target;
    for (const auto& table : all_) {
      const bool is_other = table.target == all_[place].target && !table.ddl.empty();
      joining.is_in_use |= is_other;
      if (is_other && !table.load_target.empty()) load_target = table.load_target;
    }
    auto target = TargetOf(place);
    if (!target) {
      SetAside(place, target.error());
      return {};
    }
    clickhouse::TableSpec filled = *target;
    if (!load_target.empty()) filled.table = load_target;
    if (spec_.settings.mode != ReplicationMode::kCdcOnly) {
      joining.loaded = typemap::ShardOf(source_.definitions.at(all_[place].definition.name),
                                        TargetOptionsOf(spec_, spec_.tables.at(place)));
    }
    auto done = JoinTarget(client_, filled, joining, clock_, stop_);
    if (!done && done.error().native_code == clickhouse::kErrAccessDenied) done = done.error();
    PENSTOCK_ASSIGN(const bool joined, IsWell(done, {place}));
    if (joined) BeginFirst(place, *target, load_target);
    return {};
  }

  Status Anew(std::vector<size_t> places, std::vector<DdlStatement>& statements);
  Status LeaveAsItIs(size_t place, const Error& why);
  void BeginAnew(size_t place, const clickhouse::TableSpec& target, const std::string& load_target,
                 bool may_be_fresh);

  const clickhouse::Endpoint& destination_;
  clickhouse::Client client_;
  const PipeSpec& spec_;
  const Tables& all_;
  const ReloadFrom& from_;
  Clock& clock_;
  const std::stop_token stop_;
  SourceState source_;
  Reload reload_;
  Tables begun_;  // one of each target that nothing is loaded beside but by what is made here
};

// All that share a target and are at the source are loaded into one table beside it, or none is. A
// shard that comes does not hold up the others.
Status ReloadMaker::Anew(std::vector<size_t> places, std::vector<DdlStatement>& statements) {
  // Where two differ, those that are followed have the last word, least one that is altered now.
  std::ranges::stable_sort(places, {}, [&](size_t i) {
    return (IsAsFollowed(i) ? 0 : 1) + (all_[i].quarantine ? 2 : 0) + (all_[i].ddl.empty() ? 4 : 0);
  });
  std::map<size_t, Error> misfits;
  const auto target = Joined(places, misfits);
  for (const auto& [place, why] : misfits) {
    // What becomes of one that is followed and has been altered, its log tells.
    if (!all_[place].quarantine && !all_[place].ddl.empty() && TargetOf(place)) {
      PENSTOCK_TRY(LeaveAsItIs(place, why));
    } else {
      SetAside(place, why);
    }
  }
  // Of one that is gone the target keeps what it has, as of those that left the pipe.
  const auto blocking = std::ranges::find_if(misfits, [&](const auto& misfit) {
    const catalog::TableRecord& table = all_[misfit.first];
    return !table.ddl.empty() && source_.definitions.contains(table.definition.name);
  });
  std::erase_if(places, [&](size_t place) { return misfits.contains(place); });
  if (blocking != misfits.end()) {
    for (const size_t place : places) PENSTOCK_TRY(LeaveAsItIs(place, blocking->second));
    return {};
  }
  if (!target) return {};
  begun_.push_back(all_[places.at(0)]);
  PENSTOCK_ASSIGN(const bool has_shape, HasShape(client_, *target, stop_));
  const bool is_null = target->engine == clickhouse::Engine::kNull;
  if (is_null && !has_shape) {
    SetAside(places[0], OtherShape(target->table));
    return {};
  }
  const bool as_before =
      has_shape && std::ranges::none_of(places, [&](size_t i) { return all_[i].remapped; });
  // The views are on the target.
  const std::string load_target = is_null ? "" : NewLoadTargets({begun_.back()}).at(0).name;
  for (const size_t place : places) {
    bool may_be_fresh = as_before;
    if (!as_before && !all_[place].remapped) {
      PENSTOCK_ASSIGN(const auto alone, TargetOf(place));
      PENSTOCK_ASSIGN(may_be_fresh, HasShape(client_, alone, stop_));
    }
    BeginAnew(place, *target, load_target, may_be_fresh);
  }
  if (!is_null) statements.push_back(LoadTargetDdl(*target, load_target, as_before));
  return {};
}

// Who asked for a table that is followed gets it read again into the target as it is.
Status ReloadMaker::LeaveAsItIs(size_t place, const Error& why) {
  catalog::TableRecord table = all_[place];
  if (!table.reload_wanted) return {};
  if (table.ddl.empty()) return Join(place);
  const bool was_followed = table.load_target.empty() || table.keeps_target_fresh;
  if (table.quarantine || !was_followed || !from_.checkpoint) {
    SetAside(place, why.In("all that share its target are loaded anew, or none"));
    return {};
  }
  table.reload_wanted = false;
  table.load_target.clear();
  table.keeps_target_fresh = false;
  table.partitions_planned = spec_.settings.mode == ReplicationMode::kCdcOnly;
  reload_.tables.push_back(std::move(table));
  return {};
}

void ReloadMaker::BeginAnew(size_t place, const clickhouse::TableSpec& target,
                            const std::string& load_target, bool may_be_fresh) {
  if (all_[place].ddl.empty()) return BeginFirst(place, target, load_target);
  catalog::TableRecord table = all_[place];
  const model::Table& definition = source_.definitions.at(table.definition.name);
  table.reload_wanted = false;
  table.partitions_planned = false;
  const bool was_followed = table.load_target.empty() || table.keeps_target_fresh;
  // A shard may have to go on with the target as it is, when another's load fails.
  const bool was_whole = !table.load_target.empty() || !from_.in_part.contains(table.id);
  const bool may_stay = was_whole || !spec_.tables.at(place).tells_source;
  table.keeps_target_fresh = may_be_fresh && IsAlike(definition, table.definition) &&
                             from_.checkpoint && !table.quarantine && was_followed && may_stay &&
                             !clickhouse::KeepsEveryChange(target.engine);
  table.definition = definition;
  table.ddl = clickhouse::CreateTable(target);
  table.load_target = load_target;
  table.quarantine.reset();
  // One that is followed goes on being so: what is written twice ends the same.
  table.start_part.reset();
  if (!from_.checkpoint) table.start.reset();
  if (from_.checkpoint && !table.keeps_target_fresh) table.start = source_.position;
  reload_.tables.push_back(std::move(table));
}

}  // namespace

Result<Reload> PrepareReload(const clickhouse::Endpoint& destination, const PipeSpec& spec,
                             const Tables& all, const ReloadFrom& from, Clock& clock,
                             std::stop_token stop) {
  return ReloadMaker(destination, spec, all, from, clock, std::move(stop)).Make();
}

Result<Reload> PrepareWholeReload(const PipeSpec& spec, const Tables& all, std::stop_token stop) {
  Reload reload;
  std::vector<size_t> places;
  for (const auto& [target, of_target] : GroupsOf(all)) {
    places.insert(places.end(), of_target.begin(), of_target.end());
  }
  PENSTOCK_ASSIGN(const auto definitions,
                  ReadDefinitionsNow(spec, NamesOf(all, places), std::move(stop)));
  PENSTOCK_ASSIGN(const auto targets, TargetTables(spec, definitions));
  for (const size_t place : places) {
    catalog::TableRecord table = all[place];
    table.definition = definitions.at(table.definition.name);
    const auto target = std::ranges::find(targets, table.target, &clickhouse::TableSpec::table);
    table.ddl = clickhouse::CreateTable(*target);
    table.load_target.clear();
    table.partitions_planned = false;
    table.reload_wanted = true;
    reload.tables.push_back(std::move(table));
  }
  return reload;
}

}  // namespace penstock::pipe
