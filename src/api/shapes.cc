#include "api/shapes.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/random.h"

namespace penstock::api {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 32;

// Texts of servers quoted in errors may be in any encoding.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ChangesToJson(const model::ValueChanges& changes) {
  json list = json::array();
  for (const auto& [column, counts] : changes) {
    list.push_back({{"column", column},
                    {"clamped", counts[model::Change::kClamped]},
                    {"nulled", counts[model::Change::kNulled]},
                    {"replaced", counts[model::Change::kReplaced]}});
  }
  return list;
}

json PreparedToJson(const std::vector<model::PreparedTransaction>& prepared) {
  json list = json::array();
  for (const auto& one : prepared) {
    json tables = json::array();
    for (const auto& table : one.tables) tables.push_back(table.ToString());
    if (one.tables.empty()) continue;  // of other tables
    list.push_back({{"xid", one.xid}, {"bytes", one.bytes}, {"tables", std::move(tables)}});
  }
  return list;
}

json QuarantineToJson(const std::optional<catalog::Quarantine>& quarantine) {
  if (!quarantine) return nullptr;
  return {{"since", FormatIso8601(quarantine->since)},
          {"position", quarantine->position.ToString()},
          {"reason", quarantine->reason},
          {"retrying", quarantine->retrying}};
}

json ReasonsToJson(const std::vector<pipe::Attention>& attention) {
  json list = json::array();
  for (const auto& one : attention) {
    list.push_back({{"concern", pipe::ConcernName(one.concern)}, {"text", one.text}});
  }
  return list;
}

json LoadToJson(const snapshot::LoadFigures& load, double rows_per_second) {
  json body = {{"partitions", load.partitions},
               {"partitionsDone", load.partitions_done},
               {"partitionsInFlight", load.partitions_in_flight},
               {"rowsEstimated", load.rows_estimated},
               {"rowsLoaded", load.rows},
               {"bytesEstimated", load.bytes_estimated},
               {"bytesLoaded", load.bytes},
               {"percent", load.percent()},
               {"loadRowsPerSecond", rows_per_second},
               {"secondsLeft", nullptr}};
  if (const auto left = load.TimeLeft(rows_per_second)) body["secondsLeft"] = left->count();
  return body;
}

json TableToJson(const pipe::TableStatus& table) {
  json body = LoadToJson(table.load, table.load_rows_per_second);
  body.update({{"sourceSchemaName", table.source.schema},
               {"sourceTable", table.source.table},
               {"target", table.target},
               {"state", table.state},
               {"quarantine", QuarantineToJson(table.quarantine)},
               {"rowsInserted", table.rows_inserted},
               {"rowsUpdated", table.rows_updated},
               {"rowsDeleted", table.rows_deleted},
               {"valuesChanged", model::TotalOf(table.changes)},
               {"changedColumns", ChangesToJson(table.changes)},
               {"ddl", table.ddl}});
  return body;
}

std::chrono::milliseconds Between(UnixMicros begin, UnixMicros end) {
  return std::chrono::floor<std::chrono::milliseconds>(end) -
         std::chrono::floor<std::chrono::milliseconds>(begin);
}

// A time that is not known is 0 in the catalog.
json OptionalTime(UnixMicros time) {
  return time == UnixMicros() ? json() : json(FormatIso8601(time));
}

}  // namespace

Result<json> ParseBody(const std::string& text) {
  if (text.empty()) return Fail(ErrorCode::kInvalidArgument, "body: missing; it must be JSON");
  // Deeper values would overflow the stack when they are written out again; of two equal keys one
  // would be lost in silence.
  bool too_deep = false;
  std::string twice;
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDepthMax) too_deep = true;
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty()) {
      auto key = parsed.get<std::string>();
      if (!keys.back().insert(key).second && twice.empty()) twice = std::move(key);
    }
    return !too_deep;
  };
  json body = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) {
    return Fail(ErrorCode::kInvalidArgument, "body: nests deeper than {} levels", kDepthMax);
  }
  if (body.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "body: is not JSON");
  if (!twice.empty()) return Fail(ErrorCode::kInvalidArgument, "{}: given twice", twice);
  return body;
}

HttpResponse Success(const json& result) {
  return {.body = Dump({{"status", 200}, {"requestId", RandomUuid()}, {"result", result}})};
}

HttpResponse SuccessWithoutResult() {
  return {.body = Dump({{"status", 200}, {"requestId", RandomUuid()}})};
}

HttpResponse ErrorResponse(int status, std::string_view message) {
  return {.status = status,
          .body = Dump({{"status", status}, {"error", message}, {"requestId", RandomUuid()}})};
}

HttpResponse ErrorResponse(const Error& error) {
  return ErrorResponse(HttpStatusOf(error.code), error.ToString());
}

int HttpStatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kConflict:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kRetry:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kExhausted:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kNeedsUser:
    case ErrorCode::kBadData:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

json OrganizationToJson(const std::string& id) {
  return {{"id", id}, {"name", "penstock"}, {"privateEndpoints", json::array()}};
}

// The hosted service scales; this is one process, always there.
json ServiceToJson(const std::string& id) {
  return {{"id", id},
          {"name", "penstock"},
          {"state", "running"},
          {"endpoints", json::array()},
          {"autoscalingMode", "vertical"},
          {"currentScaling", {{"effectiveAutoscalingMode", "vertical"}}}};
}

json PipeToJson(const pipe::PipeStatus& status, const std::string& service_id) {
  json body = pipe::ToJson(status.spec);
  body["id"] = status.id;
  body["serviceId"] = service_id;
  body["state"] = pipe::StateName(status.state);
  if (!status.reason.empty()) body["reason"] = status.reason;
  body["createdAt"] = FormatIso8601(status.created_at);
  body["updatedAt"] = FormatIso8601(status.updated_at);
  body["source"]["mysql"]["effectiveSettings"] = pipe::EffectiveSettings(status.spec.settings);
  return body;
}

json HostedSettingsOf(const pipe::PipeStatus& status) {
  return pipe::ToJson(status.spec).value("settings", json::object());
}

json TablesToJson(const pipe::PipeStatus& status) {
  json tables = json::array();
  for (const pipe::TableStatus& table : status.tables) tables.push_back(TableToJson(table));
  return tables;
}

json StatusToJson(const pipe::PipeStatus& status) {
  json snapshot = LoadToJson(status.load, status.load_rows_per_second);
  snapshot["tables"] = status.load.tables;
  snapshot["tablesDone"] = status.load.tables_done;
  json body = {{"id", status.id},
               {"name", status.spec.name},
               {"state", pipe::StateName(status.state)},
               {"reason", status.reason},
               {"reasons", ReasonsToJson(status.attention)},
               {"stateSince", FormatIso8601(status.state_since)},
               {"createdAt", FormatIso8601(status.created_at)},
               {"updatedAt", FormatIso8601(status.updated_at)},
               {"mechanism", status.mechanism},
               {"position", status.position},
               {"positionInFiles", status.position_in_files},
               {"sourcePosition", status.source_position},
               {"sourcePositionInFiles", status.source_position_in_files},
               {"lagSeconds", nullptr},
               {"lagBytes", nullptr},
               {"logRetentionSeconds", nullptr},
               {"logRetentionSecondsLeft", nullptr},
               {"rowsPerSecond", status.rows_per_second},
               {"lastBatchRows", status.last_batch_rows},
               {"lastBatchMilliseconds", status.last_batch_duration.count()},
               {"retrying", status.retrying},
               {"retryAttempts", status.retry_attempts},
               {"preparedTransactions", PreparedToJson(status.prepared)},
               {"snapshot", std::move(snapshot)},
               {"tables", TablesToJson(status)}};
  if (status.lag) body["lagSeconds"] = static_cast<double>(status.lag->count()) / 1000;
  if (status.lag_bytes) body["lagBytes"] = *status.lag_bytes;
  if (status.log_retention) body["logRetentionSeconds"] = status.log_retention->count();
  if (status.log_retention_left) {
    body["logRetentionSecondsLeft"] = status.log_retention_left->count();
  }
  return body;
}

json EventsToJson(const std::vector<catalog::EventRecord>& events) {
  json list = json::array();
  for (const catalog::EventRecord& event : events) {
    list.push_back({{"at", FormatIso8601(event.at)},
                    {"level", event.level},
                    {"kind", event.kind},
                    {"text", event.text}});
  }
  return list;
}

json StateHistoryToJson(const std::vector<catalog::Transition>& transitions) {
  json list = json::array();
  for (const catalog::Transition& transition : transitions) {
    const bool first = transition.from.empty();
    list.push_back(
        {{"state", transition.to},
         {"since", FormatIso8601(transition.at)},
         {"previousState", first ? json() : json(transition.from)},
         {"resumeState", transition.resume_state.empty() ? transition.to : transition.resume_state},
         {"reason", transition.reason}});
  }
  return list;
}

json PartitionsToJson(const std::vector<pipe::PartitionStatus>& partitions) {
  json list = json::array();
  for (const auto& [source, partition] : partitions) {
    const bool begun = partition.started_at != UnixMicros();
    json& body =
        list.emplace_back(json{{"sourceSchemaName", source.schema},
                               {"sourceTable", source.table},
                               {"partition", partition.index},
                               {"state", partition.done ? "loaded" : (begun ? "begun" : "waiting")},
                               {"rows", partition.rows},
                               {"bytes", partition.bytes},
                               {"startedAt", OptionalTime(partition.started_at)},
                               {"finishedAt", OptionalTime(partition.finished_at)},
                               {"milliseconds", nullptr}});
    if (begun && partition.finished_at != UnixMicros()) {
      body["milliseconds"] = Between(partition.started_at, partition.finished_at).count();
    }
  }
  return list;
}

json BatchesToJson(const std::vector<pipe::BatchStatus>& batches) {
  const auto milliseconds = [](UnixMicros time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  json list = json::array();
  for (const auto& [batch, names] : batches) {
    json changes = json::array();
    for (size_t i = 0; i < batch.changes.size(); ++i) {
      const auto& change = batch.changes[i];
      changes.push_back({{"sourceSchemaName", names.at(i).schema},
                         {"sourceTable", names.at(i).table},
                         {"rowsInserted", change.inserted},
                         {"rowsUpdated", change.updated},
                         {"rowsDeleted", change.deleted}});
    }
    const bool in_files = !batch.read.file.empty();
    list.push_back({{"number", batch.number},
                    {"rows", batch.rows},
                    {"bytes", batch.bytes},
                    {"tables", batch.tables},
                    {"changes", std::move(changes)},
                    {"gtids", batch.read.mysql.ToString() + batch.read.mariadb.ToString()},
                    {"positionInFiles",
                     in_files ? fmt::format("{}:{}", batch.read.file, batch.read.offset) : ""},
                    {"readingMilliseconds", milliseconds(batch.reading)},
                    {"decodingMilliseconds", milliseconds(batch.decoding)},
                    {"startedAt", FormatIso8601(batch.started_at)},
                    {"finishedAt", FormatIso8601(batch.finished_at)},
                    {"milliseconds", Between(batch.started_at, batch.finished_at).count()}});
  }
  return list;
}

json ReportToJson(const pipe::CheckReport& report) {
  json findings = json::array();
  for (const pipe::Finding& finding : report.findings) {
    findings.push_back({{"check", finding.check},
                        {"group", pipe::GroupName(finding.group)},
                        {"severity", pipe::SeverityName(finding.severity)},
                        {"message", finding.message},
                        {"remedy", finding.remedy},
                        {"statement", finding.statement}});
  }
  return {{"ok", report.ok()}, {"findings", std::move(findings)}, {"ddl", report.ddl}};
}

}  // namespace penstock::api
