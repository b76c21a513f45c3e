#include "pipe/checks/checks.h"

#include <algorithm>
#include <array>

#include "clickhouse/errors.h"

namespace penstock::pipe {

namespace {

// MySQL's refusals: of a database, a table, a column, a global right, a routine.
constexpr std::array kSourceRefusals = {1044, 1142, 1143, 1227, 1370};

void Add(std::vector<Finding>& findings, Severity severity, std::string message,
         std::string remedy = "", std::string statement = "") {
  findings.push_back({.check = {},
                      .severity = severity,
                      .message = std::move(message),
                      .remedy = std::move(remedy),
                      .statement = std::move(statement)});
}

}  // namespace

void AddOk(std::vector<Finding>& findings, std::string message) {
  Add(findings, Severity::kOk, std::move(message));
}

void AddWarning(std::vector<Finding>& findings, std::string message, std::string remedy,
                std::string statement) {
  Add(findings, Severity::kWarning, std::move(message), std::move(remedy), std::move(statement));
}

void AddWarning(std::vector<Finding>& findings, std::string message, const Remedy& remedy) {
  Add(findings, Severity::kWarning, std::move(message), remedy.text, remedy.statement);
}

void AddError(std::vector<Finding>& findings, std::string message, std::string remedy,
              std::string statement) {
  Add(findings, Severity::kError, std::move(message), std::move(remedy), std::move(statement));
}

void AddError(std::vector<Finding>& findings, std::string message, const Remedy& remedy) {
  Add(findings, Severity::kError, std::move(message), remedy.text, remedy.statement);
}

void AddError(std::vector<Finding>& findings, const Error& error) {
  Error without_remedy = error;
  without_remedy.remedy.clear();
  Add(findings, Severity::kError, without_remedy.ToString(), error.remedy);
}

bool IsRefusal(const Error& error) {
  if (error.origin == "destination") return error.native_code == clickhouse::kErrAccessDenied;
  return std::ranges::count(kSourceRefusals, error.native_code) != 0;
}

void AddUnanswered(std::vector<Finding>& findings, std::string_view what, const Error& error,
                   std::string grant) {
  if (!IsRefusal(error)) return AddError(findings, error);
  std::string remedy = grant.empty() ? error.remedy : "Have it granted, if this is to be looked at";
  AddWarning(findings, fmt::format("{} could not be looked at: {}", what, error.message),
             std::move(remedy), std::move(grant));
}

void AddOkIfNone(std::vector<Finding>& findings, size_t before, std::string message) {
  if (findings.size() == before) AddOk(findings, std::move(message));
}

std::string SourceVariable(const CheckContext& context, std::string_view name) {
  const auto& variables = context.facts->variables;
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

Remedy Change(const CheckContext& context, const VariableChange& change) {
  return RemedyOf(change, context.facts->hosting, context.facts->server);
}

std::string Grant(const CheckContext& context, std::string_view what) {
  return fmt::format("GRANT {} TO {};", what, context.facts->account);
}

std::string GrantAtDestination(const CheckContext& context, std::string_view what) {
  return fmt::format("GRANT {} TO {};", what, context.destination_user);
}

std::string QuotedName(const model::TableName& name) {
  return mysql::QuoteIdentifier(name.schema) + "." + mysql::QuoteIdentifier(name.table);
}

std::string DurationText(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{:.0f} s", std::max(seconds, 1.0));
  if (seconds < kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.1f} h", seconds / kHour);
  return fmt::format("{:.1f} days", seconds / kDay);
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
