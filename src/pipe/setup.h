#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "clickhouse/ddl.h"
#include "model/position.h"
#include "model/table.h"
#include "pipe/spec.h"
#include "pipe/target_tables.h"
#include "typemap/table_map.h"

namespace penstock::pipe {

// The first row of every table's load has version 1; a stream starts above every attempt of it.
inline constexpr uint64_t kLoadVersionBase = 0;
inline constexpr uint64_t kFirstStreamVersion = uint64_t{1} << 32;

// How a mapped table looks at the destination. kInvalidArgument naming what is wrong.
typemap::TargetOptions TargetOptionsOf(const PipeSpec& spec, const TableMapping& mapping);
Result<clickhouse::TableSpec> TargetTable(const PipeSpec& spec, const TableMapping& mapping,
                                          const model::Table& definition);

using Definitions = std::map<model::TableName, model::Table>;

// The targets of all tables whose definitions are known, each once: those of shards have the
// columns of all of them. kNeedsUser where shards differ.
Result<std::vector<clickhouse::TableSpec>> TargetTables(const PipeSpec& spec,
                                                        const Definitions& definitions);

// What a pipe would make is at the destination already. It is then not made again: IF NOT EXISTS
// asks for the privilege all the same.
struct Existing {
  bool database = false;
  std::map<std::string, ExistingTable> tables = {};  // of the mapped targets
};
Result<Existing> ReadExisting(clickhouse::Client& destination, const PipeSpec& spec,
                              std::stop_token stop);

// What these tables are like now. kNeedsUser when the source has not all of them.
Result<Definitions> ReadDefinitionsNow(const PipeSpec& spec,
                                       const std::vector<model::TableName>& tables,
                                       std::stop_token stop);

// Definitions and a position they are valid at.
struct SourceState {
  Definitions definitions;
  model::Position position;
};

// One look at those of these tables that the source has, at a position that is not before `after`
// and of its mechanism. kRetry while that cannot be had (changing definitions, XA transactions that
// are prepared, and not yet by `after`).
Result<SourceState> ReadSourceNow(const PipeSpec& spec, const std::vector<model::TableName>& tables,
                                  const std::optional<catalog::Checkpoint>& after, Clock& clock,
                                  std::stop_token stop);

// Whether the source shows all that it has logged up to there.
Result<bool> Shows(mysql::Connection& source, const model::Position& position,
                   std::stop_token stop);

// Where the settings say that the log is to be followed from. kNeedsUser where the source cannot
// have been there; whether the log still has it shows when it is read.
Result<model::Position> GivenStart(mysql::Connection& source, const GivenPosition& given,
                                   model::Mechanism mechanism, std::stop_token stop);

// What Setup runs at the destination, in order.
Result<std::vector<std::string>> PlannedDdl(const PipeSpec& spec,
                                            const std::map<model::TableName, model::Table>& tables,
                                            const Existing& existing);

struct SetupResult {
  std::string database_ddl;  // as it was run; "" where the database was there
  std::vector<catalog::TableRecord> tables;
  catalog::Checkpoint start;
};

// State Setup: reads the definitions before and after the start position until both agree, and
// makes the destination's database and tables. May be stopped or crash anywhere and run again. A
// target that holds rows, or that has other columns, is kNeedsUser and stays as it is. `on_wait`:
// what at the source it waits for, each time it has looked.
Result<SetupResult> SetUp(const PipeSpec& spec, const clickhouse::Endpoint& destination,
                          Clock& clock, const std::function<void(const Error&)>& on_wait,
                          std::stop_token stop);

}  // namespace penstock::pipe
