#include "pipe/target_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <span>
#include <thread>
#include <utility>

#include "clickhouse/errors.h"

namespace penstock::pipe {
namespace {

// ClickHouse makes tables with one thread each, most of which waits for the disk.
constexpr size_t kStatementsAtOnce = 8;

// Asked for at once: the statement has to be shorter than 256 KiB, the answer than 64 MiB.
constexpr size_t kTablesPerQuery = 500;
constexpr size_t kColumnsPerQuery = 50'000;

// Tables read at once.
constexpr size_t kReadsPerQuery = 50;

using Targets = std::span<const clickhouse::TableSpec>;
// Types by table and column, of those that values can be written to.
using Columns = std::map<std::string, std::map<std::string, std::string>>;

Failure NeedsUser(std::string message, std::string remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = "destination",
                    .native_code = 0,
                    .remedy = std::move(remedy)});
}

// Of a table whose target holds what is others'.
constexpr char kLikeTheOthers[] =
    "Make the source table like the others that share the target, leave the columns that differ "
    "out (excludedColumns), or take the table out of the pipe";

// Types and keys as ClickHouse prints them, without what only separates or quotes.
std::string Without(std::string_view characters, std::string text) {
  std::erase_if(text, [&](char c) { return characters.find(c) != std::string_view::npos; });
  return text;
}

bool SameKey(const std::string& a, const std::string& b) {
  constexpr std::string_view kPunctuation = " `\\()";
  return Without(kPunctuation, a) == Without(kPunctuation, b);
}

std::string QuotedList(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + clickhouse::QuoteString(name);
  }
  return list;
}

// How many of the first targets are asked for at once.
size_t ChunkSize(Targets targets) {
  size_t columns = 0;
  size_t size = 0;
  while (size < std::min(targets.size(), kTablesPerQuery) && columns < kColumnsPerQuery) {
    columns += targets[size++].columns.size();
  }
  return size;
}

Result<Columns> ReadColumns(clickhouse::Client& client, const std::string& database,
                            const std::vector<std::string>& names, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  client.Rows(fmt::format("SELECT table, name, type FROM system.columns WHERE "
                                          "database = {} AND table IN ({}) AND default_kind IN "
                                          "('', 'DEFAULT')",
                                          clickhouse::QuoteString(database), QuotedList(names)),
                              std::move(stop)));
  Columns columns;
  for (const auto& row : rows) columns[row.at(0)].emplace(row.at(1), row.at(2));
  return columns;
}

Failure HoldsRows(const std::string& name) {
  return NeedsUser(fmt::format("the target table {} exists and holds rows", name),
                   "Drop or empty it, or choose another targetTable");
}

// Rows would collapse that are different, or not collapse in the right order.
Status CheckEngine(const clickhouse::TableSpec& target, const std::string& name,
                   const ExistingTable& found) {
  const std::string arguments =
      target.engine == clickhouse::Engine::kReplacingMergeTree
          ? fmt::format("{},{})", clickhouse::VersionColumn(), clickhouse::IsDeletedColumn())
          : "";
  const std::string key = fmt::format("{}", fmt::join(target.order_by, ","));
  if (found.is_a(target.engine) && SameKey(found.sorting_key, key) &&
      Without(" `", found.engine).find(arguments) != std::string::npos) {
    return {};
  }
  return NeedsUser(fmt::format("the target table {} exists with another engine or sorting key than "
                               "{}{}{} ORDER BY ({})",
                               name, clickhouse::EngineName(target.engine),
                               arguments.empty() ? "" : "(", arguments, key),
                   "Drop it, or choose another targetTable");
}

Status CheckColumns(const clickhouse::TableSpec& target, const std::string& name,
                    const std::map<std::string, std::string>& columns) {
  auto expected = target.columns;
  const auto meta = clickhouse::MetaColumns(target.engine);
  expected.insert(expected.end(), meta.begin(), meta.end());
  for (const auto& column : expected) {
    const auto there = columns.find(column.name);
    if (there != columns.end() && Without(" ", there->second) == Without(" ", column.type)) {
      continue;
    }
    return NeedsUser(fmt::format("the target table {} exists and has no column {} of type {}", name,
                                 column.name, column.type),
                     "Drop it, or choose another targetTable");
  }
  return {};
}

}  // namespace

Status DoSeveral(
    const clickhouse::Endpoint& destination, size_t count,
    const std::function<Status(clickhouse::Client&, size_t number, std::stop_token)>& work,
    std::stop_token stop) {
  std::stop_source failed;
  const std::stop_callback forward(stop, [&failed] { failed.request_stop(); });
  std::atomic<size_t> next{0};
  std::vector<Status> statuses(std::min(kStatementsAtOnce, count));
  const auto run = [&](Status& status) {
    clickhouse::Client client(destination);
    for (size_t i = next++; status && i < count; i = next++) {
      status = work(client, i, failed.get_token());
    }
    if (!status) failed.request_stop();
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(statuses.size());
    for (Status& status : statuses) threads.emplace_back([&] { run(status); });
  }
  // The failure that stopped the others, not their cancellation.
  for (const bool cancelled : {false, true}) {
    for (Status& status : statuses) {
      if (!status && (status.error().code == ErrorCode::kCancelled) == cancelled) return status;
    }
  }
  return {};
}

Status RunStatements(const clickhouse::Endpoint& destination,
                     const std::vector<DdlStatement>& statements, std::stop_token stop) {
  return DoSeveral(
      destination, statements.size(),
      [&](clickhouse::Client& client, size_t number, std::stop_token each) {
        const DdlStatement& statement = statements[number];
        return client.Query(statement.sql, statement.settings, std::move(each)).map([](auto) {});
      },
      std::move(stop));
}

std::string ExistingTable::engine_name() const {
  return Without("`", engine.substr(0, engine.find_first_of(" (")));
}

bool ExistingTable::is_a(clickhouse::Engine wanted) const {
  std::string name = engine_name();
  for (const std::string_view kept_by : {"Replicated", "Shared"}) {
    if (name.starts_with(kept_by)) name.erase(0, kept_by.size());
  }
  return name == clickhouse::EngineName(wanted);
}

Result<std::map<std::string, ExistingTable>> ReadExistingTables(
    clickhouse::Client& client, const std::string& database, const std::vector<std::string>& names,
    std::stop_token stop) {
  std::map<std::string, ExistingTable> tables;
  for (std::span<const std::string> left(names); !left.empty();) {
    const auto chunk = left.first(std::min(left.size(), kTablesPerQuery));
    left = left.subspan(chunk.size());
    PENSTOCK_ASSIGN(const auto rows,
                    client.Rows(fmt::format("SELECT name, if(engine_full = '', engine, "
                                            "engine_full), sorting_key, total_rows FROM "
                                            "system.tables WHERE database = {} AND name IN ({})",
                                            clickhouse::QuoteString(database), QuotedList(chunk)),
                                stop));
    for (const auto& row : rows) {
      tables[row.at(0)] = {.engine = row.at(1), .sorting_key = row.at(2), .rows = row.at(3)};
    }
  }
  return tables;
}

Result<bool> IsEmpty(clickhouse::Client& client, const std::string& name,
                     const ExistingTable& table, std::stop_token stop) {
  if (table.rows == "0") return true;
  return client.Rows("SELECT 1 FROM " + name + " LIMIT 1", std::move(stop))
      .map([](const auto& rows) { return rows.empty(); });
}

// Most of many tables are empty, which need not be read.
Result<uint64_t> HighestVersion(clickhouse::Client& client, const std::string& database,
                                const std::vector<std::string>& names, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto tables, ReadExistingTables(client, database, names, stop));
  std::vector<std::string> selects;
  for (const std::string& name : names) {
    const auto table = tables.find(name);
    if (table == tables.end() || table->second.rows == "0") continue;
    selects.push_back(fmt::format("SELECT max({}) AS v FROM {}", clickhouse::VersionColumn(),
                                  clickhouse::QuoteTable(database, name)));
  }
  uint64_t highest = 0;
  size_t reads_max = kReadsPerQuery;
  for (std::span<const std::string> left(selects); !left.empty();) {
    const auto chunk = left.first(std::min(left.size(), reads_max));
    const auto rows =
        client.Rows(fmt::format("SELECT max(v) FROM ({})", fmt::join(chunk, " UNION ALL ")), stop);
    const bool of_one = !rows && clickhouse::ConcernsOneTable(rows.error());
    if (!rows && !of_one) return Fail(rows.error());
    if (of_one && std::exchange(reads_max, 1) != 1) continue;  // one of them: each by itself
    left = left.subspan(chunk.size());
    if (of_one) continue;  // writing to it will say so
    uint64_t found = 0;
    const std::string& text = rows->at(0).at(0);
    std::from_chars(text.data(), text.data() + text.size(), found);
    highest = std::max(highest, found);
  }
  return highest;
}

Result<bool> HasShape(clickhouse::Client& client, const clickhouse::TableSpec& target,
                      std::stop_token stop) {
  const std::vector<std::string> names = {target.table};
  PENSTOCK_ASSIGN(auto tables, ReadExistingTables(client, target.database, names, stop));
  if (tables.empty()) return false;
  PENSTOCK_ASSIGN(auto columns, ReadColumns(client, target.database, names, stop));
  const std::string name = clickhouse::QuoteTable(target.database, target.table);
  return CheckEngine(target, name, tables[target.table]).has_value() &&
         CheckColumns(target, name, columns[target.table]).has_value();
}

Result<std::vector<Error>> FindMisfits(clickhouse::Client& client,
                                       const std::vector<clickhouse::TableSpec>& targets,
                                       const std::set<std::string, std::less<>>& in_use,
                                       std::stop_token stop) {
  std::vector<Error> misfits;
  for (Targets left(targets); !left.empty();) {
    const Targets chunk = left.first(ChunkSize(left));
    left = left.subspan(chunk.size());
    std::vector<std::string> names;
    for (const auto& target : chunk) names.push_back(target.table);
    const std::string& database = chunk.front().database;
    PENSTOCK_ASSIGN(auto tables, ReadExistingTables(client, database, names, stop));
    PENSTOCK_ASSIGN(auto columns, ReadColumns(client, database, names, stop));
    for (const auto& target : chunk) {
      const std::string name = clickhouse::QuoteTable(database, target.table);
      bool may_be_used = in_use.contains(target.table);
      if (!may_be_used) {
        PENSTOCK_ASSIGN(may_be_used, IsEmpty(client, name, tables[target.table], stop));
      }
      Status fits = may_be_used ? CheckEngine(target, name, tables[target.table]) : HoldsRows(name);
      if (fits) fits = CheckColumns(target, name, columns[target.table]);
      if (fits) continue;
      misfits.push_back(std::move(fits).error());
      if (in_use.contains(target.table)) misfits.back().remedy = kLikeTheOthers;
    }
  }
  return misfits;
}

Status CheckTargets(clickhouse::Client& client, const std::vector<clickhouse::TableSpec>& targets,
                    std::stop_token stop) {
  PENSTOCK_ASSIGN(auto misfits, FindMisfits(client, targets, {}, std::move(stop)));
  if (misfits.empty()) return {};
  return Fail(std::move(misfits.front()));
}

}  // namespace penstock::pipe
