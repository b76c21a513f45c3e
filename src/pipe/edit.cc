#include "pipe/edit.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "clickhouse/client.h"
#include "mysql/wire/connection.h"
#include "pipe/json_fields.h"
#include "pipe/table_patterns.h"
#include "pipe/target_tables.h"

namespace penstock::pipe {
namespace {

using nlohmann::json;

constexpr char kToAdd[] = "tableMappingsToAdd";
constexpr char kToRemove[] = "tableMappingsToRemove";

constexpr std::array<std::string_view, 4> kMayBeTakenBack = {
    "snapshotRowsPerSecond", "snapshotMegabytesPerSecond", "snapshotMaxThreadsRunning",
    "snapshotMaxReplicaLagSeconds"};

// Of two that say the same thing, one takes the other's place.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kInPlaceOf = {{
    {"syncIntervalSeconds", "syncIntervalMilliseconds"},
    {"syncIntervalMilliseconds", "syncIntervalSeconds"},
}};

}  // namespace

bool MayBeTakenBack(std::string_view setting) {
  return std::ranges::count(kMayBeTakenBack, setting) != 0;
}

namespace {

void Merge(const json& change, json& into) {
  for (const auto& [key, value] : change.items()) {
    if (value.is_null()) {
      if (MayBeTakenBack(key)) into.erase(key);
      continue;
    }
    for (const auto& [given, other] : kInPlaceOf) {
      if (key == given && !change.contains(other)) into.erase(std::string(other));
    }
    if (value.is_object() && into.contains(key) && into[key].is_object()) {
      Merge(value, into[key]);
    } else {
      into[key] = value;
    }
  }
}

Failure Fixed(std::string_view path, std::string_view remedy) {
  return Fail({.code = ErrorCode::kInvalidArgument,
               .message = fmt::format("{}: cannot be changed", path),
               .remedy = std::string(remedy)});
}

// What the tables at the destination, or the pipe's place in the log, were made by.
Status CheckFixed(const PipeSpec& before, const PipeSpec& after) {
  constexpr std::string_view kSettings = "source.mysql.settings";
  constexpr std::string_view kOther = "Delete the pipe and create another";
  const PipeSettings& was = before.settings;
  const PipeSettings& is = after.settings;
  const auto setting = [&](std::string_view name) {
    return Fixed(fmt::format("{}.{}", kSettings, name), kOther);
  };
  if (was.mode != is.mode) return setting("replicationMode");
  // One that was left to us may be named later.
  if (was.replication_mechanism != is.replication_mechanism && !was.replication_mechanism.empty()) {
    return setting("replicationMechanism");
  }
  if (was.start_position != is.start_position) return setting("startPosition");
  if (was.allow_nullable_columns != is.allow_nullable_columns) {
    return setting("allowNullableColumns");
  }
  if (was.tinyint1_is_bool != is.tinyint1_is_bool) return setting("tinyint1isBool");
  if (before.database != after.database) return Fixed("destination.database", kOther);
  if (before.cluster != after.cluster) return Fixed("destination.cluster", kOther);
  return {};
}

// Whether the change itself holds this password.
bool Gives(const json& fields, const char* pointer) {
  const json::json_pointer at(pointer);
  return fields.contains(at) && fields.at(at).is_string();
}

// A stored password goes only where it was meant to go: who may use the API, and does not know it,
// cannot have it sent to a server of his own.
Status CheckPasswordsGiven(const PipeSpec& before, const PipeSpec& after, const json& fields) {
  const auto wanted = [](std::string_view what, std::string_view password) {
    return Fail({.code = ErrorCode::kInvalidArgument,
                 .message = fmt::format("{} decides who gets the stored password, and {} is not "
                                        "given with it",
                                        what, password),
                 .remedy = "Send the password again with the change"});
  };
  const auto source = [](const mysql::Endpoint& at) {
    return std::tie(at.host, at.port, at.user, at.tls_host, at.ca_certificate, at.disable_tls,
                    at.skip_cert_verification);
  };
  if (!before.source.password.empty() && source(before.source) != source(after.source) &&
      !Gives(fields, "/source/mysql/credentials/password")) {
    return wanted("a change of host, port, user or TLS", "source.mysql.credentials.password");
  }
  const auto destination = [](const clickhouse::Endpoint& at) {
    return std::tie(at.url, at.user, at.ca_certificate, at.skip_cert_verification);
  };
  if (before.clickhouse && after.clickhouse && !before.clickhouse->password.empty() &&
      destination(*before.clickhouse) != destination(*after.clickhouse) &&
      !Gives(fields, "/destination/clickhouse/password")) {
    return wanted("a change of url, user or TLS", "destination.clickhouse.password");
  }
  return {};
}

// The paths of values that differ, like "source.mysql.port".
void Differences(const json& before, const json& after, const std::string& path,
                 std::vector<std::string>& paths) {
  if (before == after) return;
  if (!before.is_object() || !after.is_object()) return paths.push_back(path);
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : before.items()) {
    Differences(value, after.value(key, json()), below(key), paths);
  }
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key)) paths.push_back(below(key));
  }
}

// Whether the fields say where the source is, and who we are there.
bool LeadsToSource(const std::string& field) {
  constexpr std::string_view kSource = "source.mysql.";
  if (!field.starts_with(kSource)) return false;
  const std::string_view name = std::string_view(field).substr(kSource.size());
  return name == "settings.useCompression" ||
         (!name.starts_with("settings") && !name.starts_with("tableMappings") && name != "type" &&
          name != "serverId");
}

bool LeadsToDestination(const std::string& field) {
  return field.starts_with("destination.clickhouse");
}

// Errors of servers, as errors of the request.
Status OfRequest(const Status& status, std::string_view path) {
  if (status || status.error().code == ErrorCode::kCancelled) return status;
  Error error = status.error().In(path);
  error.code = ErrorCode::kInvalidArgument;
  return Fail(std::move(error));
}

Result<std::vector<PipeChange::Removal>> ParseRemovals(json list) {
  constexpr char kDrop[] = "dropTargetTable";
  std::vector<bool> drops;
  for (size_t i = 0; list.is_array() && i < list.size(); ++i) {
    json& element = list[i];
    const json drop = element.is_object() ? element.value(kDrop, json(false)) : json(false);
    if (!drop.is_boolean()) {
      return Fail(ErrorCode::kInvalidArgument, "source.mysql.{}: {}: must be true or false",
                  kToRemove, kDrop);
    }
    drops.push_back(drop.get<bool>());
    if (element.is_object()) element.erase(kDrop);
  }
  PENSTOCK_ASSIGN(auto mappings,
                  ParseTableMappings(list, fmt::format("source.mysql.{}", kToRemove)));
  std::vector<PipeChange::Removal> removals;
  for (size_t i = 0; i < mappings.size(); ++i) {
    removals.push_back({.mapping = std::move(mappings[i]), .drop_target = drops[i]});
  }
  return removals;
}

Status FindTargets(const clickhouse::Endpoint& destination, const std::string& database,
                   const std::vector<std::string>& targets, const std::stop_token& stop) {
  clickhouse::Client client(destination);
  PENSTOCK_TRY(client.Query("SELECT 1", {}, stop).map([](auto) {}));
  PENSTOCK_ASSIGN(const auto there, ReadExistingTables(client, database, targets, stop));
  for (const std::string& target : targets) {
    if (there.contains(target)) continue;
    return Fail({.code = ErrorCode::kInvalidArgument,
                 .message = fmt::format("there is no table {}.{}", database, target),
                 .remedy = "Name the server that holds the pipe's tables, or copy them there"});
  }
  return {};
}

// By the names of both ends; the size where it is not among them.
size_t PlaceOf(const std::vector<TableMapping>& mappings, const TableMapping& named) {
  const auto found = std::ranges::find_if(mappings, [&](const TableMapping& mapping) {
    return mapping.source == named.source && mapping.target_table == named.target_table;
  });
  return static_cast<size_t>(found - mappings.begin());
}

}  // namespace

Result<PipeChange> ParsePipeChange(const json& body) {
  PipeChange change{.fields = body};
  if (!body.is_object()) return Fail(ErrorCode::kInvalidArgument, "body: must be an object");
  if (!body.value("scaling", json()).is_null()) {
    return Fail(ErrorCode::kInvalidArgument,
                "scaling: a pipe of a database has none of its own; use clickpipesCdcScaling");
  }
  const json source = body.value("source", json());
  const bool fits = source.is_null() ||
                    (source.is_object() &&
                     (source.value("mysql", json()).is_null() || source["mysql"].is_object()));
  if (!fits) return Fail(ErrorCode::kInvalidArgument, "source, source.mysql: must be objects");
  if (!source.is_object() || !source.contains("mysql") || !source["mysql"].is_object()) {
    return change;
  }
  json& mysql = change.fields["source"]["mysql"];
  if (mysql.contains("tableMappings") && !mysql["tableMappings"].is_null()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "source.mysql.tableMappings: cannot be changed as a whole; use {} and {}. To change "
        "the mapping of a table, name it in both",
        kToAdd, kToRemove);
  }
  mysql.erase("tableMappings");
  const auto take = [&](const char* key) {
    json taken = mysql.value(key, json());
    mysql.erase(key);
    return taken;
  };
  const json to_add = take(kToAdd);
  PENSTOCK_TRY(ParseTableMappings(to_add, fmt::format("source.mysql.{}", kToAdd)).map([](auto) {}));
  if (to_add.is_array()) change.tables_to_add = to_add;
  PENSTOCK_ASSIGN(change.tables_to_remove, ParseRemovals(take(kToRemove)));
  return change;
}

void TakeRemapped(const PipeSpec& spec, PipeChange& change) {
  const auto added = ParseTableMappings(change.tables_to_add, kToAdd);
  if (!added) return;  // Changed tells
  json left = json::array();
  for (size_t i = 0; i < added->size(); ++i) {
    const TableMapping& mapping = (*added)[i];
    const size_t place = PlaceOf(spec.mappings, mapping);
    const auto removal = std::ranges::find_if(change.tables_to_remove, [&](const auto& other) {
      return !other.drop_target && other.mapping.source == mapping.source &&
             other.mapping.target_table == mapping.target_table;
    });
    const bool remaps = place != spec.mappings.size() && !IsPattern(mapping.source) &&
                        removal != change.tables_to_remove.end();
    if (remaps) {
      change.tables_to_remove.erase(removal);
      change.remapped.push_back({.mapping = place, .by = change.tables_to_add[i]});
    } else {
      left.push_back(change.tables_to_add[i]);
    }
  }
  change.tables_to_add = std::move(left);
}

std::vector<RemappedTable> RemappedTables(const PipeSpec& before, const PipeChange& change,
                                          const PipeSpec& after) {
  std::vector<RemappedTable> remapped;
  for (const auto& [mapping, ignored] : change.remapped) {
    const size_t table = PlaceOf(before.tables, before.mappings[mapping]);
    const size_t place = PlaceOf(after.tables, before.mappings[mapping]);
    if (table == before.tables.size() || place == after.tables.size()) continue;
    TableMapping was = before.tables[table];
    const TableMapping& is = after.tables[place];
    if (was == is) continue;
    was.partition_key = is.partition_key;
    remapped.push_back({.table = table, .reshaped = was != is});
  }
  return remapped;
}

Result<std::vector<RemovedTable>> TablesToRemove(const PipeSpec& spec, const PipeChange& change) {
  std::vector<RemovedTable> removed;
  for (const auto& [mapping, drop_target] : change.tables_to_remove) {
    const size_t pattern = PlaceOf(spec.mappings, mapping);
    const size_t table = PlaceOf(spec.tables, mapping);
    const size_t before = removed.size();
    for (size_t i = 0; i < spec.tables.size(); ++i) {
      const bool goes = i == table || spec.tables[i].pattern == pattern;
      const bool is_new = std::ranges::count(removed, i, &RemovedTable::table) == 0;
      if (goes && is_new) removed.push_back({.table = i, .drop_target = drop_target});
    }
    const bool is_mapped = pattern != spec.mappings.size() || table != spec.tables.size();
    if (is_mapped && (removed.size() != before || IsPattern(mapping.source))) continue;
    return Fail(ErrorCode::kInvalidArgument, "source.mysql.{}: {} is not mapped to {}", kToRemove,
                mapping.source.ToString(), mapping.target_table);
  }
  return removed;
}

namespace {

using Mappings = std::set<size_t, std::greater<>>;

// The mappings of what is removed, which go whole.
Mappings GoneMappings(const PipeSpec& spec, const PipeChange& change) {
  Mappings gone;
  for (const auto& removal : change.tables_to_remove) {
    const size_t mapping = PlaceOf(spec.mappings, removal.mapping);
    if (mapping != spec.mappings.size()) gone.insert(mapping);
  }
  return gone;
}

// Without what is removed, and with the mappings still there.
Result<PipeSpec> WithoutRemoved(const PipeSpec& spec, const PipeChange& change,
                                const Mappings& gone) {
  PENSTOCK_ASSIGN(const auto removed, TablesToRemove(spec, change));
  PipeSpec kept = spec;
  for (const auto& removal : change.tables_to_remove) {
    if (!IsPattern(removal.mapping.source)) Exclude(removal.mapping.source, kept);
  }
  kept.tables.clear();
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    if (std::ranges::count(removed, i, &RemovedTable::table) != 0) continue;
    std::optional<size_t>& pattern = kept.tables.emplace_back(spec.tables[i]).pattern;
    const auto is_before = [&](size_t mapping) { return mapping < *pattern; };
    if (pattern) *pattern -= static_cast<size_t>(std::ranges::count_if(gone, is_before));
  }
  return kept;
}

}  // namespace

Result<PipeSpec> Changed(const PipeSpec& spec, const PipeChange& change, const Limits& limits) {
  const Mappings gone = GoneMappings(spec, change);
  PENSTOCK_ASSIGN(PipeSpec kept, WithoutRemoved(spec, change, gone));
  json body = ToJsonWithSecrets(kept);
  if (change.fields.value("settings", json()).is_object()) body.erase("settings");  // of no effect
  Merge(change.fields, body);
  json& mappings = body["source"]["mysql"]["tableMappings"];
  for (const auto& [mapping, by] : change.remapped) mappings[mapping] = by;
  for (const size_t mapping : gone) mappings.erase(mapping);
  for (const json& mapping : change.tables_to_add) mappings.push_back(mapping);
  if (mappings.empty() || (kept.tables.empty() && change.tables_to_add.empty())) {
    return Fail({.code = ErrorCode::kInvalidArgument,
                 .message = fmt::format("source.mysql.{}: no table would be left", kToRemove),
                 .remedy = "Delete the pipe instead"});
  }
  PENSTOCK_ASSIGN(PipeSpec changed, ParsePipeSpec(body, limits));
  PENSTOCK_TRY(CheckFixed(spec, changed));
  PENSTOCK_TRY(CheckPasswordsGiven(spec, changed, change.fields));
  changed.tables = std::move(kept.tables);
  for (const auto& [mapping, ignored] : change.remapped) {
    const size_t table = PlaceOf(changed.tables, spec.mappings[mapping]);
    const size_t place = PlaceOf(changed.mappings, spec.mappings[mapping]);
    if (table == changed.tables.size()) continue;
    const bool tells_source = changed.tables[table].tells_source;
    changed.tables[table] = changed.mappings[place];
    changed.tables[table].tells_source = tells_source;
  }
  for (size_t i = changed.mappings.size() - change.tables_to_add.size();
       i < changed.mappings.size(); ++i) {
    if (!IsPattern(changed.mappings[i].source)) changed.tables.push_back(changed.mappings[i]);
  }
  return changed;
}

Status CheckServers(const PipeSpec& after, const clickhouse::Endpoint& destination,
                    const std::vector<std::string>& fields, const std::vector<std::string>& targets,
                    const std::stop_token& stop) {
  if (std::any_of(fields.begin(), fields.end(), LeadsToSource)) {
    Status answers = mysql::Connection::Open(after.source, after.name + " edit", stop)
                         .and_then([&](auto source) { return source.Execute("SELECT 1", stop); });
    PENSTOCK_TRY(OfRequest(answers, "source.mysql"));
  }
  if (std::any_of(fields.begin(), fields.end(), LeadsToDestination)) {
    PENSTOCK_TRY(OfRequest(FindTargets(destination, after.database, targets, stop),
                           "destination.clickhouse"));
  }
  return {};
}

std::vector<std::string> ChangedFields(const PipeSpec& before, const PipeSpec& after) {
  std::vector<std::string> paths;
  Differences(ToJsonWithSecrets(before), ToJsonWithSecrets(after), "", paths);
  return paths;
}

}  // namespace penstock::pipe
