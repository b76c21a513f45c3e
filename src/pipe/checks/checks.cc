#include "pipe/checks/checks.h"

#include <algorithm>

namespace penstock::pipe {

void AddOk(std::vector<Finding>& findings, std::string message) {
  findings.push_back(
      {.check = {}, .severity = Severity::kOk, .message = std::move(message), .remedy = {}});
}

void AddWarning(std::vector<Finding>& findings, std::string message, std::string remedy) {
  findings.push_back({.check = {},
                      .severity = Severity::kWarning,
                      .message = std::move(message),
                      .remedy = std::move(remedy)});
}

void AddError(std::vector<Finding>& findings, std::string message, std::string remedy) {
  findings.push_back({.check = {},
                      .severity = Severity::kError,
                      .message = std::move(message),
                      .remedy = std::move(remedy)});
}

void AddError(std::vector<Finding>& findings, const Error& error) {
  Error without_remedy = error;
  without_remedy.remedy.clear();
  AddError(findings, without_remedy.ToString(), error.remedy);
}

void AddOkIfNone(std::vector<Finding>& findings, size_t before, std::string message) {
  if (findings.size() == before) AddOk(findings, std::move(message));
}

bool FollowsLog(const CheckContext& context, std::vector<Finding>& findings) {
  if (context.spec.settings.mode != ReplicationMode::kSnapshot) return true;
  AddOk(findings, "not needed: replicationMode is snapshot");
  return false;
}

std::optional<std::string> SourceVariable(CheckContext& context, std::string_view name,
                                          std::vector<Finding>& findings) {
  const auto rows = context.source->Query(fmt::format("SELECT @@global.{}", name), context.stop);
  if (rows) return rows->empty() ? std::nullopt : rows->front().front();
  if (rows.error().code != ErrorCode::kNotFound) AddError(findings, rows.error());
  return std::nullopt;
}

void ForEachTable(const CheckContext& context,
                  const std::function<void(const TableMapping&, const model::Table&)>& visit) {
  for (const TableMapping& mapping : context.spec.tables) {
    const auto table = context.tables.find(mapping.source);
    if (table != context.tables.end()) visit(mapping, table->second);
  }
}

bool IsExcluded(const TableMapping& mapping, std::string_view column) {
  return std::ranges::find(mapping.excluded_columns, column) != mapping.excluded_columns.end();
}

}  // namespace penstock::pipe
