#include "catalog/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "catalog/history.h"
#include "catalog/meta.h"
#include "catalog/records.h"
#include "catalog/tar_file.h"

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCatalogFile = "catalog.sqlite";
constexpr std::string_view kMadeAt = "backup_made_at";
// Files of XA transactions go as these end; that one goes in each of so many moments has no reason.
constexpr int kAttemptsMax = 10;

// An open file, which stays readable when it is removed.
class OpenFile {
 public:
  OpenFile(std::string name, const fs::path& path)
      : name_(std::move(name)), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), errno_(errno) {}
  OpenFile(OpenFile&& other) noexcept
      : name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)), errno_(other.errno_) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  const std::string& name() const { return name_; }
  int fd() const { return fd_; }
  bool missing() const { return fd_ < 0 && errno_ == ENOENT; }
  Status Check() const {
    if (fd_ >= 0) return {};
    return Fail(ErrorCode::kNeedsUser, "cannot read {}: {}", name_, std::strerror(errno_));
  }

 private:
  std::string name_;
  int fd_;
  int errno_;
};

// Removed at the end.
class ScratchFile {
 public:
  explicit ScratchFile(fs::path path) : path_(std::move(path)) { Remove(); }
  ~ScratchFile() { Remove(); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const fs::path& path() const { return path_; }
  // With what SQLite puts beside it.
  void Remove() const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) {
      std::error_code ignored;
      fs::remove(fs::path(path_) += end, ignored);
    }
  }

 private:
  const fs::path path_;
};

// Relative to the data directory.
Result<std::vector<std::string>> PreparedFiles(Sqlite& copy) {
  std::vector<std::string> names;
  PENSTOCK_ASSIGN(const std::optional<int64_t> has_any,
                  copy.QueryInt("SELECT 1 FROM pragma_table_info('pipes') WHERE name = "
                                "'prepared_transactions'"));
  if (!has_any) return names;  // an older version's
  PENSTOCK_TRY(copy.Query("SELECT id, prepared_transactions FROM pipes", {},
                          [&](const SqlRow& row) -> Status {
                            PENSTOCK_ASSIGN(const auto prepared, DecodePrepared(row.Text(1)));
                            for (const auto& one : prepared) {
                              if (one.file.empty()) continue;
                              names.push_back(fmt::format("prepared/{}/{}", row.Text(0), one.file));
                            }
                            return {};
                          }));
  return names;
}

struct Copied {
  std::vector<OpenFile> prepared;
  uint64_t pipes = 0;
};

// nullopt: a file was removed between the copy and its opening.
Result<std::optional<Copied>> CopyCatalog(Sqlite& catalog, const BackupOptions& options,
                                          const ScratchFile& scratch) {
  scratch.Remove();
  PENSTOCK_TRY(catalog.CopyTo(scratch.path()));
  PENSTOCK_ASSIGN(const auto copy, Sqlite::Open(scratch.path()));
  Copied copied;
  PENSTOCK_ASSIGN(const std::vector<std::string> names, PreparedFiles(*copy));
  for (const std::string& name : names) {
    copied.prepared.emplace_back(name, options.data_dir / name);
    if (copied.prepared.back().missing()) return std::nullopt;
    PENSTOCK_TRY(copied.prepared.back().Check());
  }
  PENSTOCK_ASSIGN(const std::optional<int64_t> pipes, copy->QueryInt("SELECT count(*) FROM pipes"));
  copied.pipes = static_cast<uint64_t>(pipes.value_or(0));
  PENSTOCK_TRY(WriteMeta(*copy, kMadeAt, FormatIso8601(options.clock->Wall())));
  return copied;
}

Result<Copied> CopyWhole(const BackupOptions& options, const ScratchFile& scratch) {
  const fs::path file = options.data_dir / kCatalogFile;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return Fail({.code = ErrorCode::kNeedsUser,
                 .message = fmt::format("there is no catalog in {}", options.data_dir.string()),
                 .origin = "catalog",
                 .remedy = "Name the server's data directory with --data-dir, and run this as the "
                           "server's user"});
  }
  PENSTOCK_ASSIGN(const auto catalog, Sqlite::Open(file));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    PENSTOCK_ASSIGN(std::optional<Copied> copied, CopyCatalog(*catalog, options, scratch));
    if (copied) return *std::move(copied);
  }
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = "files of prepared XA transactions that the catalog names are missing",
               .origin = "catalog",
               .remedy = "Look into the folder `prepared` of the data directory"});
}

}  // namespace

Result<BackupReport> BackUp(const BackupOptions& options) {
  PENSTOCK_ASSIGN(TarFile archive, TarFile::Make(options.file, options.clock->Wall()));
  const ScratchFile scratch(fs::path(archive.unfinished()) += ".catalog");
  PENSTOCK_ASSIGN(const Copied copied, CopyWhole(options, scratch));
  BackupReport report{.pipes = copied.pipes, .bytes = 0, .files = {}};
  const auto add = [&](const OpenFile& file) -> Status {
    PENSTOCK_TRY(file.Check());
    PENSTOCK_TRY(archive.Add(file.name(), file.fd()));
    report.files.push_back(file.name());
    return {};
  };
  PENSTOCK_TRY(add(OpenFile(kCatalogFile, scratch.path())));
  for (const OpenFile& file : copied.prepared) PENSTOCK_TRY(add(file));
  for (const std::string& name : options.other_files) {
    const OpenFile file(name, options.data_dir / name);
    if (!file.missing()) PENSTOCK_TRY(add(file));
  }
  PENSTOCK_TRY(archive.Finish());
  std::error_code ignored;
  report.bytes = fs::file_size(options.file, ignored);
  return report;
}

Status NoteRestore(Sqlite& database, UnixMicros now) {
  PENSTOCK_ASSIGN(const std::optional<std::string> made_at, ReadMeta(database, kMadeAt));
  if (!made_at) return {};
  std::vector<std::string> pipes;
  PENSTOCK_TRY(database.Query("SELECT id FROM pipes", {}, [&](const SqlRow& row) {
    pipes.push_back(row.Text(0));
    return Status();
  }));
  PENSTOCK_TRY(database.Script("BEGIN IMMEDIATE"));
  const auto note = [&]() -> Status {
    for (const std::string& pipe : pipes) {
      PENSTOCK_TRY(InsertEvent(
          database, pipe,
          {.at = now,
           .level = "warning",
           .kind = "restore",
           .text = fmt::format("the catalog is a backup of {}: what came after it is read again; a "
                               "table that keeps every change (MergeTree, Null) gets it twice "
                               "(docs/operations.md)",
                               *made_at)},
          now));
    }
    PENSTOCK_TRY(database.Run("DELETE FROM meta WHERE key = ?", {kMadeAt}));
    return database.Script("COMMIT");
  };
  Status noted = note();
  if (!noted && database.in_transaction()) static_cast<void>(database.Script("ROLLBACK"));
  return noted;
}

}  // namespace penstock::catalog
