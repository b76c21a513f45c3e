#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "cli/output.h"
#include "cli/pipe_commands.h"
#include "cli/table_names.h"

// The commands that order something of a pipe, and wait until it has come about.

namespace penstock::cli {
namespace {

using nlohmann::json;

// Whether what the state stands for is really under way: a stream whose lag is known has reached
// the end of the log, or has written of it, since it was started.
bool Flows(const json& status) {
  const std::string state = Cell(status, "state");
  const bool works = state == "Snapshot" || state == "Running" || state == "Degraded";
  if (!works) return true;
  const bool has_stream = !Cell(status, "mechanism").empty();
  if (has_stream) return status.value("lagSeconds", json()).is_number();
  return status.value("snapshot", json::object()).value("partitionsInFlight", 0) > 0;
}

// "shop.t: REASON; shop.u: REASON" of those that are quarantined.
struct SetAside {
  std::string text;
  bool retrying = false;
};
SetAside SetAsideOf(const json& tables, const std::function<bool(const json&)>& concerned) {
  SetAside found;
  for (const json& table : tables) {
    const json quarantine = table.value("quarantine", json());
    if (!quarantine.is_object() || !concerned(table)) continue;
    found.retrying |= quarantine.value("retrying", false);
    found.text += fmt::format("{}{}: {}", found.text.empty() ? "" : "; ", SourceName(table),
                              Cell(quarantine, "reason"));
  }
  return found;
}

std::set<std::string> Values(const json& tables, const char* key) {
  std::set<std::string> values;
  for (const json& table : tables) values.insert(Cell(table, key));
  return values;
}

Failure Ended(const json& status) {
  return Fail(ErrorCode::kNeedsUser, "{} is {}{}{}", Cell(status, "name"), Cell(status, "state"),
              Cell(status, "reason").empty() ? "" : ": ", Cell(status, "reason"));
}

// A command of the API for these tables; none: all.
json OrderOf(const char* command, const json& tables) {
  json order = {{"command", command}};
  for (const json& table : tables) {
    order["tables"].push_back({{"sourceSchemaName", table.at("sourceSchemaName")},
                               {"sourceTable", table.at("sourceTable")}});
  }
  return order;
}

}  // namespace

Status PipeCommands::Pause(const std::string& name, bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  const auto paused = [&] { return AwaitState(path, "Paused"); };
  return Change(path, "/state", {{"command", "stop"}}, wait ? paused : Wait());
}

Status PipeCommands::Resume(const std::string& name, bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  const auto flows = [&] { return AwaitState(path, "Snapshot Running Degraded Completed"); };
  return Change(path, "/state", {{"command", "start"}}, wait ? flows : Wait());
}

Status PipeCommands::Resync(const std::string& name, const std::vector<std::string>& tables,
                            bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json named, TablesOf(path, tables));
  // Tables that share a target are loaded together.
  const auto concerned = [targets = Values(named, "target")](const json& table) {
    return targets.empty() || targets.contains(Cell(table, "target"));
  };
  const auto in_place = [&]() -> Status {
    PENSTOCK_TRY(AwaitState(path, "Running Degraded Completed"));
    return CheckTables(path, concerned);
  };
  return Change(path, "/state", OrderOf("resync", named), wait ? in_place : Wait());
}

Status PipeCommands::Retry(const std::string& name, const std::vector<std::string>& tables,
                           bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json named, TablesOf(path, tables));
  const auto concerned = [&named](const json& table) {
    return named.empty() || std::ranges::any_of(named, [&](const json& one) {
             return SourceName(one) == SourceName(table);
           });
  };
  const auto followed = [&] { return AwaitRetry(path, concerned); };
  return Change(path, "/state", OrderOf("retry", named), wait ? followed : Wait());
}

Result<json> PipeCommands::TablesOf(const std::string& path,
                                    const std::vector<std::string>& names) {
  json named = json::array();
  if (names.empty()) return named;
  PENSTOCK_ASSIGN(const json tables, client_.Get(path + "/tables"));
  for (const std::string& name : names) {
    PENSTOCK_ASSIGN(json table, FindTable(name, tables));
    named.push_back(std::move(table));
  }
  return named;
}

Status PipeCommands::Change(const std::string& path, const std::string& resource, const json& body,
                            const Wait& wait) {
  PENSTOCK_ASSIGN(json pipe, client_.Patch(path + resource, body));
  if (wait) {
    PENSTOCK_TRY(wait());
    PENSTOCK_ASSIGN(pipe, client_.Get(path));
  }
  if (options_.json) {
    PrintValue(pipe);
  } else if (!wait) {
    Print(fmt::format("{} {}\n", Cell(pipe, "name"), Cell(pipe, "state")));
  }
  return {};
}

Status PipeCommands::AwaitState(const std::string& path, std::string_view states) {
  std::string shown;
  for (;;) {
    PENSTOCK_ASSIGN(const json status, client_.Get(path + "/status?tables=0"));
    const std::string state = Cell(status, "state");
    const std::string trouble = Cell(status, "retrying");
    std::string now = trouble.empty() ? state : fmt::format("{}, retrying: {}", state, trouble);
    if (now != shown && !options_.json) Print(now + "\n");
    shown = std::move(now);
    const bool awaited =
        fmt::format(" {} ", states).find(fmt::format(" {} ", state)) != std::string::npos;
    if (awaited && Flows(status)) return {};
    if (!awaited && (state == "Failed" || state == "Paused")) return Ended(status);
    if (!Clock::Real().Wait(kPollInterval, stop_)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

Status PipeCommands::CheckTables(const std::string& path, const Concerned& concerned) {
  PENSTOCK_ASSIGN(const json tables, client_.Get(path + "/tables"));
  const SetAside left = SetAsideOf(tables, concerned);
  if (left.text.empty()) return {};
  return Fail(ErrorCode::kNeedsUser, "quarantined: {}", left.text);
}

Status PipeCommands::AwaitRetry(const std::string& path, const Concerned& concerned) {
  for (;;) {
    PENSTOCK_ASSIGN(const json tables, client_.Get(path + "/tables"));
    const SetAside left = SetAsideOf(tables, concerned);
    if (left.text.empty()) return {};
    if (!left.retrying) return Fail(ErrorCode::kNeedsUser, "still quarantined: {}", left.text);
    PENSTOCK_ASSIGN(const json status, client_.Get(path + "/status?tables=0"));
    const std::string state = Cell(status, "state");
    if (state == "Failed" || state == "Paused") return Ended(status);
    if (!Clock::Real().Wait(kPollInterval, stop_)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

}  // namespace penstock::cli
