#include "catalog/schema.h"

#include <string>
#include <system_error>

#include "obs/log.h"

namespace penstock::catalog {
namespace {

constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE pipes (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  spec BLOB NOT NULL,                 -- sealed
  state TEXT NOT NULL,
  resume_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  state_since INTEGER NOT NULL,       -- times are microseconds since 1970, UTC
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  position TEXT,                      -- of the checkpoint; NULL before the first
  versions_reserved_end INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE transitions (
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  resume_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (pipe_id, number)
) WITHOUT ROWID;

CREATE TABLE tables (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  definition TEXT NOT NULL,           -- JSON
  target TEXT NOT NULL,
  ddl TEXT NOT NULL,
  load_version_base INTEGER NOT NULL,
  partitions_planned INTEGER NOT NULL,
  rows_estimated INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX tables_by_pipe ON tables (pipe_id);

CREATE TABLE partitions (
  table_id INTEGER NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  lower BLOB,
  upper BLOB,
  done INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  PRIMARY KEY (table_id, number)
) WITHOUT ROWID;

CREATE TABLE batches (
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  table_count INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  at INTEGER NOT NULL,                -- finished
  PRIMARY KEY (pipe_id, number)
) WITHOUT ROWID;

CREATE TABLE events (
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  level TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (pipe_id, number)
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE value_changes (
  table_id INTEGER NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
  column_name TEXT NOT NULL,
  clamped INTEGER NOT NULL DEFAULT 0,
  nulled INTEGER NOT NULL DEFAULT 0,
  replaced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (table_id, column_name)
) WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN load_target TEXT NOT NULL DEFAULT '';
ALTER TABLE tables ADD COLUMN loaded_uuid TEXT NOT NULL DEFAULT '';
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN quarantined_at INTEGER;          -- NULL: the table is followed
ALTER TABLE tables ADD COLUMN quarantine_position TEXT;
ALTER TABLE tables ADD COLUMN quarantine_reason TEXT;
ALTER TABLE tables ADD COLUMN reload_wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tables ADD COLUMN keeps_target_fresh INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tables ADD COLUMN start_position TEXT;             -- NULL: the pipe's first
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN bytes_estimated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE partitions ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE partitions ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE partitions ADD COLUMN finished_at INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
ALTER TABLE pipes ADD COLUMN open_transaction TEXT NOT NULL DEFAULT '';  -- JSON; with position
)sql",
    R"sql(
ALTER TABLE pipes ADD COLUMN prepared_transactions TEXT NOT NULL DEFAULT '';  -- JSON; likewise
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN start_read_to TEXT;              -- NULL: between transactions
ALTER TABLE tables ADD COLUMN start_rows INTEGER NOT NULL DEFAULT 0;
CREATE TABLE inserts (                                         -- of unknown outcome
  table_id INTEGER NOT NULL PRIMARY KEY REFERENCES tables (id) ON DELETE CASCADE,
  target TEXT NOT NULL,
  version_begin INTEGER NOT NULL,
  version_end INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  start_position TEXT NOT NULL,
  start_read_to TEXT,
  start_rows INTEGER NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE batches ADD COLUMN reading INTEGER NOT NULL DEFAULT 0;    -- microseconds
ALTER TABLE batches ADD COLUMN decoding INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';    -- JSON
ALTER TABLE batches ADD COLUMN position TEXT NOT NULL DEFAULT 'file||0||';
)sql",
    R"sql(
ALTER TABLE pipes ADD COLUMN sent TEXT NOT NULL DEFAULT '';  -- JSON; beyond position
)sql",
    R"sql(
CREATE TABLE answers (                                         -- to requests with an Idempotency-Key
  key TEXT NOT NULL PRIMARY KEY,
  request_hash BLOB NOT NULL,                                  -- sealed
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE removals (                                        -- of tables that are mapped no more
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  target TEXT NOT NULL,
  drop_target INTEGER NOT NULL,
  PRIMARY KEY (pipe_id, url, target)
) WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE pipes ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;  -- but for its removals
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN retry_wanted INTEGER NOT NULL DEFAULT 0;  -- of a quarantined one
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;          -- likewise
)sql",
    R"sql(
CREATE TABLE wider_removals (
  pipe_id TEXT NOT NULL REFERENCES pipes (id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  target TEXT NOT NULL,
  source_schema TEXT NOT NULL,                                 -- of the rows; '': of all
  source_table TEXT NOT NULL,
  drop_target INTEGER NOT NULL,
  PRIMARY KEY (pipe_id, url, target, source_schema, source_table)
) WITHOUT ROWID;
INSERT INTO wider_removals SELECT pipe_id, url, target, '', '', drop_target FROM removals;
DROP TABLE removals;
ALTER TABLE wider_removals RENAME TO removals;
)sql",
    R"sql(
ALTER TABLE tables ADD COLUMN remapped INTEGER NOT NULL DEFAULT 0;      -- 2: its load goes by it
)sql"};

Result<int64_t> Version(Sqlite& database) {
  PENSTOCK_ASSIGN(const std::optional<int64_t> version, database.QueryInt("PRAGMA user_version"));
  return version.value_or(0);
}

// All of it or nothing has the name: what a crash leaves is written over.
Status CopyBeside(Sqlite& database, const std::filesystem::path& file, int64_t version) {
  std::filesystem::path copy = file;
  copy += fmt::format(".v{}", version);
  std::filesystem::path part = copy;
  part += ".part";
  std::error_code error;
  std::filesystem::remove(part, error);
  if (const Status copied = database.CopyTo(part); !copied) {
    return Failure(copied.error().In(fmt::format("the copy {} before the upgrade", copy.string())));
  }
  std::filesystem::rename(part, copy, error);
  if (error) {
    return Fail(ErrorCode::kNeedsUser, "cannot make {}: {}", copy.string(), error.message());
  }
  LogInfo("", "the catalog of version {} is upgraded; a copy of it is {}", version, copy.string());
  return {};
}

}  // namespace

std::span<const char* const> Migrations() { return kMigrations; }

Status Migrate(Sqlite& database, std::span<const char* const> migrations) {
  PENSTOCK_ASSIGN(const int64_t found, Version(database));
  const auto newest = static_cast<int64_t>(migrations.size());
  if (found > newest) {
    return Fail(Error{
        .code = ErrorCode::kConflict,
        .message = fmt::format("the catalog has version {}, this penstock knows versions up to {}",
                               found, newest),
        .origin = "catalog",
        .remedy = fmt::format("Run the newer penstock that wrote it, or put back the copy that it "
                              "made before its upgrade, catalog.sqlite.v{} or lower "
                              "(docs/operations.md)",
                              newest)});
  }
  for (int64_t next = found; next < newest; ++next) {
    const std::string script = fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT",
                                           migrations[static_cast<size_t>(next)], next + 1);
    const Status done = database.Script(script.c_str());
    if (!done) {
      // The first error is the one to report, whether or not there is a transaction to undo.
      if (database.in_transaction()) static_cast<void>(database.Script("ROLLBACK"));
      return Failure(done.error().In(fmt::format("migration {}", next + 1)));
    }
  }
  return {};
}

Status Upgrade(Sqlite& database, const std::filesystem::path& file,
               std::span<const char* const> migrations) {
  PENSTOCK_ASSIGN(const int64_t version, Version(database));
  const bool older = version > 0 && version < static_cast<int64_t>(migrations.size());
  if (older) PENSTOCK_TRY(CopyBeside(database, file, version));
  return Migrate(database, migrations);
}

}  // namespace penstock::catalog
