#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/ddl.h"

namespace penstock::pipe {

// A statement with the settings it is to be sent with.
struct DdlStatement {
  std::string sql;
  clickhouse::Settings settings = {};
};

// Does `work` for each number below `count`, several at a time, each over a connection that no
// other uses meanwhile. Answers the first error, and then some may not have been done.
Status DoSeveral(
    const clickhouse::Endpoint& destination, size_t count,
    const std::function<Status(clickhouse::Client&, size_t number, std::stop_token)>& work,
    std::stop_token stop);

// Runs statements that do not depend on each other, likewise.
Status RunStatements(const clickhouse::Endpoint& destination,
                     const std::vector<DdlStatement>& statements, std::stop_token stop);

// What there is at the destination of one name.
struct ExistingTable {
  std::string engine;  // with its arguments and what follows
  std::string sorting_key;
  std::string rows;  // "0" or a number that includes rows deleted already; "" where it is not known

  std::string engine_name() const;
  // It is of the engine, or of its Replicated or Shared form.
  bool is_a(clickhouse::Engine wanted) const;
};

// Those of these tables of the database that there are, by name.
Result<std::map<std::string, ExistingTable>> ReadExistingTables(
    clickhouse::Client& client, const std::string& database, const std::vector<std::string>& names,
    std::stop_token stop);

// Whether a SELECT finds no row in it. `name` is quoted.
Result<bool> IsEmpty(clickhouse::Client& client, const std::string& name,
                     const ExistingTable& table, std::stop_token stop);

// The highest version of any row of these tables; 0 without one.
Result<uint64_t> HighestVersion(clickhouse::Client& client, const std::string& database,
                                const std::vector<std::string>& names, std::stop_token stop);

// Whether the target is there, with the engine, sorting key and columns that it would be made with.
Result<bool> HasShape(clickhouse::Client& client, const clickhouse::TableSpec& target,
                      std::stop_token stop);

// Each target must be as it would have been made and, but for those `in_use`, empty: it may have
// been there before. A kNeedsUser that names it for each one that is not.
Result<std::vector<Error>> FindMisfits(clickhouse::Client& client,
                                       const std::vector<clickhouse::TableSpec>& targets,
                                       const std::set<std::string, std::less<>>& in_use,
                                       std::stop_token stop);

// The first of them; none is in use.
Status CheckTargets(clickhouse::Client& client, const std::vector<clickhouse::TableSpec>& targets,
                    std::stop_token stop);

}  // namespace penstock::pipe
