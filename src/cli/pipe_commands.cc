#include "cli/pipe_commands.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cli/check_view.h"
#include "cli/output.h"
#include "cli/pipe_file.h"
#include "cli/status_view.h"
#include "cli/yaml_writer.h"
#include "pipe/edit.h"

namespace penstock::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kWatchInterval(1000);
constexpr int kEventsMax = 1000;
constexpr int kStatesShown = 10;

json MysqlSource(const json& pipe) {
  return pipe.value("source", json::object()).value("mysql", json::object());
}

ScreenSize TerminalSize() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.width = size.ws_col, .height = size.ws_row};
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// How many tables a pipe has. Before it is set up only its mappings tell; not where one is a
// pattern.
std::string TablesText(const json& source, const json& status) {
  const auto set_up = status.value("snapshot", json::object()).value("tables", size_t{0});
  if (set_up != 0) return WithThousands(set_up);
  const json mappings = source.value("tableMappings", json::array());
  const bool has_pattern = std::ranges::any_of(mappings, [](const json& mapping) {
    return SourceName(mapping).find_first_of("*?") != std::string::npos;
  });
  return has_pattern ? "" : WithThousands(mappings.size());
}

// "43.2 %  12,345 of 28,000 rows  ..."; nothing before the tables are known.
std::string SnapshotText(const json& status) {
  const json load = status.value("snapshot", json::object());
  if (load.value("tables", 0) == 0) return "";
  return fmt::format("{:.1f} %  {}", load.value("percent", 0.0), LoadText(load));
}

// "shop.t +3 ~2 -1, shop.u +1 and 5 more tables"
std::string ChangesText(const json& batch) {
  constexpr size_t kTablesMax = 3;
  const json changes = batch.value("changes", json::array());
  std::string text;
  for (size_t i = 0; i < std::min(changes.size(), kTablesMax); ++i) {
    text += (i == 0 ? "" : ", ") + SourceName(changes[i]);
    for (const auto& [sign, key] : {std::pair('+', "rowsInserted"), std::pair('~', "rowsUpdated"),
                                    std::pair('-', "rowsDeleted")}) {
      const std::string count = Cell(changes[i], key);
      if (count != "0") text += fmt::format(" {}{}", sign, count);
    }
  }
  if (changes.size() > kTablesMax)
    text += fmt::format(" and {} more tables", changes.size() - kTablesMax);
  return text;
}

// "30d 0h, 29d 23h left"; nothing where it is not known.
std::string LogKeptText(const json& status) {
  const json kept = status.value("logRetentionSeconds", json());
  const json left = status.value("logRetentionSecondsLeft", json());
  if (!kept.is_number()) return "";
  return FormatSeconds(kept.get<double>()) +
         (left.is_number() ? ", " + FormatSeconds(left.get<double>()) + " left" : "");
}

// Where values were changed by rule, and how; nothing where none were.
void PrintChangedColumns(const json& tables) {
  std::vector<std::vector<std::string>> rows;
  for (const json& table : tables) {
    for (const json& column : table.value("changedColumns", json::array())) {
      rows.push_back({SourceName(table) + "." + Cell(column, "column"), Cell(column, "clamped"),
                      Cell(column, "nulled"), Cell(column, "replaced")});
    }
  }
  if (rows.empty()) return;
  Print("\nValues that ClickHouse cannot hold (docs/type-mapping.md has the rules):\n" +
        FormatTable({"COLUMN", "CLAMPED", "NULLED", "REPLACED"}, rows));
}

void PrintPrepared(const json& prepared) {
  std::string text;
  for (const json& one : prepared) {
    std::string tables;
    for (const json& table : one.value("tables", json::array())) {
      tables += (tables.empty() ? "" : ", ") + table.get<std::string>();
    }
    text += fmt::format("\nprepared  XA transaction {}: {} of changes of {} are held\n",
                        Cell(one, "xid"), FormatBytes(one.value("bytes", 0.0)), tables);
  }
  Print(text);
}

void PrintQuarantined(const json& tables) {
  std::string text;
  for (const json& table : tables) {
    const json quarantine = table.value("quarantine", json());
    if (!quarantine.is_object()) continue;
    text += fmt::format("\nquarantined  {}, not followed from {} on{}: {}\n", SourceName(table),
                        Cell(quarantine, "position"),
                        quarantine.value("retrying", false) ? ", is retried" : "",
                        Cell(quarantine, "reason"));
  }
  Print(text);
}

void PrintHistory(const json& history) {
  std::vector<std::vector<std::string>> rows;
  for (const json& one : history) {
    rows.push_back({Cell(one, "since"), ColouredState(Cell(one, "state")), Cell(one, "reason")});
  }
  Print("\n" + FormatTable({"SINCE", "STATE", "REASON"}, rows));
}

// Everyone on the machine can see the words of a command.
Status RefusePasswords(const json& patch, const std::string& path) {
  if (!patch.is_structured()) return {};
  for (const auto& [key, value] : patch.items()) {
    const std::string place = fmt::format("{}{}{}", path, path.empty() ? "" : ".", key);
    if (key == "password") {
      return Fail(Error{.code = ErrorCode::kInvalidArgument,
                        .message = place + ": the words of a command are seen by everyone in the "
                                           "list of processes, and kept by the shell",
                        .remedy = fmt::format("Give {0}Env=VARIABLE or {0}File=FILE", place)});
    }
    PENSTOCK_TRY(RefusePasswords(value, place));
  }
  return {};
}

// Where a key of `set` stands in the API's body, as a JSON pointer.
std::string PathOf(std::string key) {
  constexpr std::string_view kOfSource[] = {
      "host", "port", "tlsHost", "caCertificate", "disableTls", "skipCertVerification", "serverId"};
  const bool of_source =
      std::find(std::begin(kOfSource), std::end(kOfSource), key) != std::end(kOfSource);
  const bool is_path = key.find('.') != std::string::npos || key == "name";
  if (!is_path) key = (of_source ? "source.mysql." : "source.mysql.settings.") + key;
  std::replace(key.begin(), key.end(), '.', '/');
  return "/" + key;
}

}  // namespace

void PipeCommands::PrintValue(const json& value) const {
  Print(ValueText(value, options_.yaml ? OutputFormat::kYaml : OutputFormat::kJson));
}

Status PipeCommands::Check(const std::filesystem::path& file) {
  PENSTOCK_ASSIGN(const json body, ReadPipeFile(file));
  PENSTOCK_ASSIGN(const json report, client_.Post("/clickpipesCheck", body));
  if (options_.json) {
    PrintValue(report);
  } else {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    Print(ReportText(report,
                     {.colours = ColoursWanted(), .width = terminal ? TerminalSize().width : 0}));
  }
  if (report.value("ok", false)) return {};
  return Fail(ErrorCode::kInvalidArgument, "{}: {}; create would be refused", file.string(),
              CountsText(report));
}

Status PipeCommands::Create(const std::filesystem::path& file, bool wait) {
  PENSTOCK_ASSIGN(const json body, ReadPipeFile(file));
  PENSTOCK_ASSIGN(const json pipe, client_.Post("/clickpipes", body));
  const std::string path = "/clickpipes/" + Cell(pipe, "id");
  if (!options_.json) {
    Print(fmt::format("created {}  {}\n", Cell(pipe, "name"), Cell(pipe, "id")));
    PENSTOCK_TRY(PrintWarnings(path));
  }
  if (wait) PENSTOCK_TRY(AwaitState(path, "Running Degraded Completed"));
  if (!options_.json) return {};
  PENSTOCK_ASSIGN(const json latest, client_.Get(path));
  PrintValue(latest);
  return {};
}

Status PipeCommands::PrintWarnings(const std::string& path) {
  PENSTOCK_ASSIGN(const json events,
                  client_.Get(fmt::format("{}/events?limit={}", path, kEventsMax)));
  std::string text;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (Cell(*event, "kind") == "check") text += "warning  " + Cell(*event, "text") + "\n";
  }
  Print(text);
  return {};
}

Status PipeCommands::List() {
  PENSTOCK_ASSIGN(const json pipes, client_.Get("/clickpipes"));
  if (options_.json) {
    PrintValue(pipes);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& pipe : pipes) {
    const json source = MysqlSource(pipe);
    const auto status =
        client_.Get(fmt::format("/clickpipes/{}/status?tables=0", Cell(pipe, "id")));
    if (!status && status.error().code == ErrorCode::kNotFound) continue;  // deleted meanwhile
    if (!status) return Fail(status.error());
    rows.push_back({Cell(pipe, "name"), ColouredState(Cell(pipe, "state")), Cell(source, "host"),
                    Cell(pipe.value("destination", json::object()), "database"),
                    TablesText(source, *status), Cell(pipe, "id"), Cell(pipe, "reason")});
  }
  Print(FormatTable({"NAME", "STATE", "SOURCE", "DATABASE", "TABLES", "ID", "REASON"}, rows));
  return {};
}

Status PipeCommands::ListNames() {
  PENSTOCK_ASSIGN(const json pipes, client_.Get("/clickpipes"));
  for (const json& pipe : pipes) Print(Cell(pipe, "name") + "\n");
  return {};
}

Status PipeCommands::ListTableNames(const std::string& name) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json tables, client_.Get(path + "/tables"));
  for (const json& table : tables) Print(SourceName(table) + "\n");
  return {};
}

Status PipeCommands::Show(const std::string& name) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(json pipe, client_.Get(path));
  const std::string states = fmt::format("{}/stateHistory?limit={}", path, kStatesShown);
  PENSTOCK_ASSIGN(const json history, client_.Get(states));
  if (options_.json) {
    pipe["stateHistory"] = history;
    PrintValue(pipe);
    return {};
  }
  PENSTOCK_ASSIGN(const json status, client_.Get(path + "/status?tables=100"));
  const json source = MysqlSource(pipe);
  const json port = source.value("port", json());
  const json reasons = status.value("reasons", json::array());
  std::vector<std::vector<std::string>> rows = {
      {"id", Cell(pipe, "id")},
      {"state",
       fmt::format("{} since {}", ColouredState(Cell(pipe, "state")), Cell(status, "stateSince"))},
      {"reason", reasons.empty() ? Cell(status, "reason") : ""},
      {"retrying", Cell(status, "retrying")},
      {"source", fmt::format("{}:{}", Cell(source, "host"), port.dump())},
      {"database", Cell(pipe.value("destination", json::object()), "database")},
      {"tables", TablesText(source, status)},
      {"mechanism", Cell(status, "mechanism")},
      {"position", Cell(status, "position")},
      {"in files", Cell(status, "positionInFiles")},
      {"source at", IsAtWork(status) ? Cell(status, "sourcePosition") : ""},
      {"log kept", IsAtWork(status) ? LogKeptText(status) : ""},
      {"created", Cell(pipe, "createdAt")},
      {"snapshot", SnapshotText(status)},
  };
  for (size_t i = 0; i < reasons.size(); ++i) {
    rows.insert(rows.begin() + 2 + static_cast<ptrdiff_t>(i), {"reason", Cell(reasons[i], "text")});
  }
  const json settings = source.value("settings", json::object());
  for (const auto& [key, value] : settings.items()) {
    rows.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  std::erase_if(rows, [](const auto& row) { return row[1].empty(); });
  Print(FormatTable({"name", Cell(pipe, "name")}, rows));
  PrintPrepared(status.value("preparedTransactions", json::array()));
  PrintQuarantined(status.value("tables", json::array()));
  PrintHistory(history);
  return {};
}

Status PipeCommands::Tables(const std::string& name, bool ddl) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json status, client_.Get(path + "/status"));
  const json tables = status.value("tables", json::array());
  if (options_.json) {
    PrintValue(tables);
    return {};
  }
  if (ddl) {
    for (const json& table : tables) Print(table.value("ddl", std::string()) + ";\n\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& table : tables) {
    rows.push_back({SourceName(table), Cell(table, "target"), ColouredState(Cell(table, "state")),
                    fmt::format("{}/{}", Cell(table, "partitionsDone"), Cell(table, "partitions")),
                    fmt::format("{:.1f} %", table.value("percent", 0.0)), Cell(table, "rowsLoaded"),
                    FormatBytes(table.value("bytesLoaded", 0.0)), Cell(table, "rowsInserted"),
                    Cell(table, "rowsUpdated"), Cell(table, "rowsDeleted"),
                    Cell(table, "valuesChanged")});
  }
  Print(FormatTable({"SOURCE", "TARGET", "STATE", "PARTITIONS", "LOADED", "ROWS", "BYTES",
                     "INSERTED", "UPDATED", "DELETED", "CHANGED VALUES"},
                    rows));
  PrintChangedColumns(tables);
  PrintQuarantined(tables);
  return {};
}

Status PipeCommands::Events(const std::string& name, size_t limit) {
  return PrintEvents(name, "events", limit);
}

Status PipeCommands::Errors(const std::string& name, size_t limit) {
  return PrintEvents(name, "errors", limit);
}

Status PipeCommands::PrintEvents(const std::string& name, const char* resource, size_t limit) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json events,
                  client_.Get(fmt::format("{}/{}?limit={}", path, resource, limit)));
  if (options_.json) {
    PrintValue(events);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& event : events) {
    rows.push_back(
        {Cell(event, "at"), Cell(event, "level"), Cell(event, "kind"), Cell(event, "text")});
  }
  Print(FormatTable({"TIME", "LEVEL", "KIND", "EVENT"}, rows));
  return {};
}

Status PipeCommands::Batches(const std::string& name, size_t limit) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json batches, client_.Get(fmt::format("{}/batches?limit={}", path, limit)));
  if (options_.json) {
    PrintValue(batches);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& batch : batches) {
    const auto took = [&batch](const char* key) {
      return FormatSeconds(batch.value(key, 0.0) / 1000);
    };
    rows.push_back({Cell(batch, "number"), Cell(batch, "finishedAt"), Cell(batch, "rows"),
                    FormatBytes(batch.value("bytes", 0.0)), took("readingMilliseconds"),
                    took("decodingMilliseconds"), took("milliseconds"),
                    Cell(batch, "positionInFiles"), ChangesText(batch)});
  }
  Print(FormatTable({"BATCH", "FINISHED", "ROWS", "BYTES", "READ IN", "DECODED IN", "INSERTED IN",
                     "UP TO", "CHANGES"},
                    rows));
  return {};
}

Status PipeCommands::Partitions(const std::string& name, const std::string& table, size_t limit) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  std::string query = fmt::format("?limit={}", limit);
  if (!table.empty()) {
    PENSTOCK_ASSIGN(const json named, TablesOf(path, {table}));
    query += "&table=" + ApiClient::Escaped(SourceName(named[0]));
  }
  PENSTOCK_ASSIGN(const json partitions, client_.Get(path + "/partitions" + query));
  if (options_.json) {
    PrintValue(partitions);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& partition : partitions) {
    const json took = partition.value("milliseconds", json());
    rows.push_back({SourceName(partition), Cell(partition, "partition"), Cell(partition, "state"),
                    Cell(partition, "startedAt"), Cell(partition, "rows"),
                    FormatBytes(partition.value("bytes", 0.0)),
                    took.is_number() ? FormatSeconds(took.get<double>() / 1000) : ""});
  }
  Print(FormatTable({"TABLE", "PARTITION", "STATE", "STARTED", "ROWS", "BYTES", "TOOK"}, rows));
  return {};
}

Status PipeCommands::Set(const std::string& name, const std::vector<std::string>& changes) {
  json patch = json::object();
  for (const std::string& change : changes) {
    const size_t equals = change.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(ErrorCode::kInvalidArgument, "{}: must be KEY=VALUE, as in pullBatchSize=50000",
                  change);
    }
    const std::string text = change.substr(equals + 1);
    json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (value.is_discarded()) value = text;
    const std::string key = change.substr(0, equals);
    if (value.is_null() && !pipe::MayBeTakenBack(key.substr(key.rfind('.') + 1))) {
      return Fail(ErrorCode::kInvalidArgument,
                  "{}: null changes nothing; give the value that it is to have", key);
    }
    try {
      patch[json::json_pointer(PathOf(key))] = std::move(value);
    } catch (const json::exception&) {  // below a value that another one has set
      return Fail(ErrorCode::kInvalidArgument, "{}: is no such field", key);
    }
  }
  PENSTOCK_TRY(RefusePasswords(patch, ""));
  PENSTOCK_TRY(ResolvePasswords(patch, ""));
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  return Edit(path, patch, /*wait=*/false);
}

Status PipeCommands::Delete(const std::string& name, bool drop, bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json was, client_.Get(path));
  PENSTOCK_TRY(client_.Delete(path + (drop ? "?dropTargetTables=true" : "")));
  bool gone = false;
  for (;;) {
    const Result<json> pipe = client_.Get(path);
    gone = !pipe && pipe.error().code == ErrorCode::kNotFound;
    if (gone || !wait) break;
    if (!pipe) return Fail(pipe.error());
    if (!Clock::Real().Wait(kPollInterval, stop_)) return Fail(ErrorCode::kCancelled, "stopped");
  }
  if (options_.json) {
    PrintValue(was);
    return {};
  }
  Print(fmt::format("deleted {}; its tables in ClickHouse {}\n", name,
                    !drop  ? "stay"
                    : gone ? "are dropped"
                           : "will be dropped, as soon as it answers"));
  return {};
}

Status PipeCommands::ShowStatus(const std::string& name, bool watch) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  if (watch) return Watch(path);
  PENSTOCK_ASSIGN(const json status, client_.Get(path + "/status"));
  if (options_.json) {
    PrintValue(status);
  } else {
    Print(Joined(StatusLines(status, {.width = SIZE_MAX}, ColoursWanted())));
  }
  return {};
}

Status PipeCommands::Watch(const std::string& path) {
  const bool redraw = !options_.json && ::isatty(STDOUT_FILENO) == 1;
  size_t drawn = 0;
  do {
    // A screen, or a line, holds no more.
    const std::string tables =
        options_.json ? "" : fmt::format("?tables={}", redraw ? TerminalSize().height : 0);
    const Result<json> status = client_.Get(path + "/status" + tables);
    if (stop_.stop_requested()) return {};
    if (!status) return Fail(status.error());
    if (options_.json) {
      Print(options_.yaml ? "---\n" + ToYaml(*status)
                          : status->dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    } else if (redraw) {
      const std::vector<std::string> lines = StatusLines(*status, TerminalSize(), ColoursWanted());
      // Up to where the last drawing began, and clear to the end of the screen.
      Print((drawn == 0 ? "" : fmt::format("\x1b[{}F\x1b[J", drawn)) + Joined(lines));
      drawn = lines.size();
    } else {
      const std::string time = FormatIso8601(Clock::Real().Wall());
      Print(fmt::format("{}  {}\n", time.substr(11, 8), StatusLine(*status)));
    }
  } while (Clock::Real().Wait(kWatchInterval, stop_));
  return {};
}

}  // namespace penstock::cli
