#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clickhouse/client.h"

namespace penstock::clickhouse {

// Columns that every destination table has after those of its source, by names of our own
// (_penstock_version) or by those of ClickPipes and PeerDB (_peerdb_version).
enum class MetaNames : uint8_t { kPenstock, kPeerdb };
inline constexpr std::pair<std::string_view, MetaNames> kMetaNames[] = {
    {"penstock", MetaNames::kPenstock}, {"peerdb", MetaNames::kPeerdb}};
// Of the whole process: to be called before anything asks for a name.
void UseMetaNames(MetaNames names);
std::string_view VersionColumn();    // UInt64, higher wins
std::string_view IsDeletedColumn();  // UInt8, 1: deleted
std::string_view SyncedAtColumn();   // set by the server
// Of the tables that keep every change only: a ChangeKind.
inline constexpr std::string_view kKindColumn = "_penstock_kind";
inline constexpr std::string_view kKindType = "Enum8('insert' = 1, 'update' = 2, 'delete' = 3)";
enum class ChangeKind : uint8_t { kInsert = 1, kUpdate = 2, kDelete = 3 };
// Of tables that several source tables share, where they lead the sorting key.
inline constexpr std::string_view kSourceSchemaColumn = "_penstock_source_schema";
inline constexpr std::string_view kSourceTableColumn = "_penstock_source_table";

bool IsMetaColumn(std::string_view name);

struct DestinationColumn {
  std::string name;
  std::string type;                     // as declared: "LowCardinality(Nullable(String))"
  std::string codec = {};               // what stands in CODEC(...); empty: none
  std::string default_expression = {};  // SQL; empty: none
  std::string comment = {};             // empty: none

  bool operator==(const DestinationColumn&) const = default;
};

enum class Engine : uint8_t {
  kReplacingMergeTree,  // the last state of each key, by version
  kMergeTree,           // every change
  kNull,                // every change, only for the materialized views on it
};
bool KeepsEveryChange(Engine engine);
std::string_view EngineName(Engine engine);

// The meta columns, in their order; those of a shared table stand among its others.
std::vector<DestinationColumn> MetaColumns(Engine engine);
std::vector<DestinationColumn> SourceColumns();

struct TableSpec {
  std::string database;
  std::string table;
  std::vector<DestinationColumn> columns;  // without the meta columns
  Engine engine = Engine::kReplacingMergeTree;
  std::vector<std::string> order_by;  // column names; unused for kNull
  std::string partition_by = {};      // SQL; empty: not
  std::string settings = {};          // SQL, beside those that the table needs
  std::string cluster = {};  // made on all its servers, by a Replicated engine; empty: here
};

// " ON CLUSTER `name`", or nothing without one.
std::string OnCluster(std::string_view cluster);

// Statements that may be repeated: IF NOT EXISTS. Names may hold any bytes.
std::string CreateDatabase(std::string_view database, std::string_view cluster);
std::string CreateTable(const TableSpec& spec);

// A column for a table that is there: after another one, or the first.
struct NewColumn {
  DestinationColumn column;
  std::string after;  // empty: it is the first

  bool operator==(const NewColumn&) const = default;
};
// May be repeated: IF NOT EXISTS. What is in the table has the defaults in them.
std::string AlterTableAdd(std::string_view database, std::string_view table,
                          const std::vector<NewColumn>& columns, std::string_view cluster);

// What CreateTable's statement must be sent with, for servers whose defaults do not allow every
// type of it yet: Time64 from 25.6 on, by default only since 25.12. Likewise AlterTableAdd's.
Settings CreateTableSettings(const TableSpec& spec);
Settings AlterTableAddSettings(const std::vector<NewColumn>& columns);

}  // namespace penstock::clickhouse
