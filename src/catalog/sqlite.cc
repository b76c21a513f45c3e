#include "catalog/sqlite.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <type_traits>
#include <unordered_map>

namespace penstock::catalog {
namespace {

constexpr int kBusyTimeoutMillis = 5'000;

bool IsDiskFull(int code, int system_errno) {
  return code == SQLITE_FULL ||
         (code == SQLITE_IOERR &&
          (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG));
}

// `system_errno` is errno as the failed call left it; 0: it was not the system that failed.
Error ToError(const SQLite::Exception& exception, int system_errno) {
  const int extended = exception.getExtendedErrorCode();
  const int code = exception.getErrorCode() & 0xff;
  Error error{.code = ErrorCode::kInternal,
              .message = exception.what(),
              .origin = "catalog",
              .native_code = extended > 0 ? extended : code};
  if (IsDiskFull(code, system_errno)) {
    error.code = ErrorCode::kExhausted;
    error.message = "the disk of the data directory is full";
    error.remedy = "Free space on it; penstock goes on by itself";
    return error;
  }
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.code = ErrorCode::kRetry;
      error.remedy = "Close other programs that hold the catalog file open";
      break;
    case SQLITE_CONSTRAINT:
      error.code = ErrorCode::kConflict;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.code = ErrorCode::kNeedsUser;
      error.message = "the catalog file is damaged: " + error.message;
      error.remedy = "Restore the data directory from a copy";
      break;
    case SQLITE_IOERR:
      error.code = ErrorCode::kNeedsUser;
      error.message += system_errno != 0 ? fmt::format(": {}", std::strerror(system_errno)) : "";
      error.remedy = "Check the disk of the data directory";
      break;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      error.code = ErrorCode::kNeedsUser;
      error.remedy = "Make the data directory readable and writable for this user";
      break;
    default:
      break;
  }
  return error;
}

// Made before SQLite opens it, so that it and the files SQLite puts beside it are never readable
// for others. A file that is there is not touched: to close it would end all locks that this
// process has on it, and the next program to look at the catalog would remove its log.
Status MakeFile(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) return {};
    return Fail(
        Error{.code = ErrorCode::kNeedsUser,
              .message = fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)),
              .origin = "catalog",
              .remedy = "Make the data directory readable and writable for this user"});
  }
  ::close(fd);
  return {};
}

void Bind(SQLite::Statement& statement, Parameters parameters) {
  int index = 0;
  for (const Parameter& parameter : parameters) {
    ++index;
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, int64_t>) {
            statement.bind(index, value);
          } else if constexpr (std::is_same_v<T, std::string_view>) {
            statement.bind(index, std::string(value));
          } else if constexpr (std::is_same_v<T, Blob>) {
            // A null pointer would bind NULL.
            const char* data = value.bytes.empty() ? "" : value.bytes.data();
            statement.bind(index, static_cast<const void*>(data),
                           static_cast<int>(value.bytes.size()));
          } else {
            statement.bind(index);
          }
        },
        parameter);
  }
}

}  // namespace

int64_t SqlRow::Int(int column) const { return statement_.getColumn(column).getInt64(); }
bool SqlRow::IsNull(int column) const { return statement_.isColumnNull(column); }
std::string SqlRow::Text(int column) const { return statement_.getColumn(column).getString(); }

class Sqlite::Impl {
 public:
  explicit Impl(const std::filesystem::path& file)
      : database_(file.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMillis) {}

  // Runs `body` with the library's exceptions turned into errors.
  template <typename Body>
  auto Guard(const Body& body) -> decltype(body()) {
    errno = 0;
    try {
      return body();
    } catch (const SQLite::Exception& exception) {
      return Failure(ToError(exception, errno));
    }
  }

  SQLite::Statement& Prepare(const char* sql, Parameters parameters) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      found = statements_.try_emplace(sql, database_, sql).first;
    }
    Bind(found->second, parameters);
    return found->second;
  }

  SQLite::Database& database() { return database_; }
  const SQLite::Database& database() const { return database_; }

 private:
  SQLite::Database database_;
  std::unordered_map<std::string, SQLite::Statement> statements_;  // by their text
};

namespace {

// A statement left unreset would keep its locks and its transaction's snapshot.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SQLite::Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.tryReset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  SQLite::Statement& statement_;
};

}  // namespace

Sqlite::Sqlite(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sqlite::~Sqlite() = default;

Result<std::unique_ptr<Sqlite>> Sqlite::Open(const std::filesystem::path& file) {
  PENSTOCK_TRY(MakeFile(file));
  std::unique_ptr<Sqlite> opened;
  errno = 0;
  try {
    opened.reset(new Sqlite(std::make_unique<Impl>(file)));
  } catch (const SQLite::Exception& exception) {
    return Fail(ToError(exception, errno).In(file.string()));
  }
  PENSTOCK_TRY(
      opened->Query("PRAGMA journal_mode=WAL", {}, [](const SqlRow&) { return Status(); }));
  PENSTOCK_TRY(opened->Script("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  return opened;
}

Status Sqlite::Script(const char* sql) {
  return impl_->Guard([&]() -> Status {
    impl_->database().exec(sql);
    return {};
  });
}

Result<int64_t> Sqlite::Run(const char* sql, Parameters parameters) {
  return impl_->Guard([&]() -> Result<int64_t> {
    SQLite::Statement& statement = impl_->Prepare(sql, parameters);
    const ResetAtEnd reset(statement);
    return statement.exec();
  });
}

Status Sqlite::Query(const char* sql, Parameters parameters,
                     const std::function<Status(const SqlRow&)>& each) {
  return impl_->Guard([&]() -> Status {
    SQLite::Statement& statement = impl_->Prepare(sql, parameters);
    const ResetAtEnd reset(statement);
    while (statement.executeStep()) PENSTOCK_TRY(each(SqlRow(statement)));
    return {};
  });
}

Result<std::optional<int64_t>> Sqlite::QueryInt(const char* sql, Parameters parameters) {
  std::optional<int64_t> value;
  PENSTOCK_TRY(Query(sql, parameters, [&](const SqlRow& row) {
    if (!value) value = row.Int(0);
    return Status();
  }));
  return value;
}

Status Sqlite::CopyTo(const std::filesystem::path& file) {
  PENSTOCK_TRY(MakeFile(file));
  return impl_->Guard([&]() -> Status {
    SQLite::Database copy(file.string(), SQLite::OPEN_READWRITE);
    const int all = -1;  // in one read transaction
    if (SQLite::Backup(copy, impl_->database()).executeStep(all) == SQLITE_DONE) return {};
    return Fail(Error{.code = ErrorCode::kRetry,
                      .message = fmt::format("{} is locked", impl_->database().getFilename()),
                      .origin = "catalog",
                      .remedy = "Close other programs that hold the catalog file open"});
  });
}

int64_t Sqlite::last_row_id() const { return impl_->database().getLastInsertRowid(); }

bool Sqlite::in_transaction() const {
  return sqlite3_get_autocommit(impl_->database().getHandle()) == 0;
}

}  // namespace penstock::catalog
