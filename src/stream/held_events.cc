#include "stream/held_events.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <type_traits>

#include "base/byte_reader.h"

namespace penstock::stream {
namespace {

namespace fs = std::filesystem;

// A record: length of the body (8 bytes), checksum of the body (8), body: kind (1), then the
// event's fields in order, integers as this machine has them, bytes after their length.
constexpr size_t kHeaderSize = 16;
enum class RecordKind : uint8_t { kTableMap = 1, kRows = 2 };

Failure DiskFailure(const fs::path& path, std::string_view what) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return Fail(
      Error{.code = full ? ErrorCode::kExhausted : ErrorCode::kNeedsUser,
            .message = fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)),
            .origin = "data directory",
            .native_code = error,
            .remedy = full ? "Free space on the disk of the data directory"
                           : "Make the data directory writable for penstock; then start the pipe"});
}

// FNV-1a.
uint64_t Checksum(std::string_view bytes) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  return hash;
}

template <typename T>
void Put(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void PutBytes(std::string& out, std::string_view bytes) {
  Put<uint64_t>(out, bytes.size());
  out.append(bytes);
}
template <typename T>
std::string_view BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string_view TakeBytes(ByteReader& reader) {
  const uint64_t size = reader.U64();
  if (size > reader.remaining()) {
    reader.Fail();
    return {};
  }
  return reader.Bytes(static_cast<size_t>(size));
}
template <typename T>
void TakeInto(ByteReader& reader, std::vector<T>& values) {
  const std::string_view bytes = TakeBytes(reader);
  values.resize(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
}

binlog::TableMap TakeTableMap(ByteReader& reader, binlog::TableMapMemory& memory) {
  binlog::TableMap map;
  map.table_id = reader.U64();
  map.schema = TakeBytes(reader);
  map.table = TakeBytes(reader);
  map.types = TakeBytes(reader);
  TakeInto(reader, memory.metadata);
  map.nullable = TakeBytes(reader);
  TakeInto(reader, memory.is_unsigned);
  memory.names.clear();
  for (uint64_t left = reader.U64(); left != 0 && reader.ok(); --left) {
    memory.names.push_back(TakeBytes(reader));
  }
  map.metadata = memory.metadata;
  map.is_unsigned = memory.is_unsigned;
  map.names = memory.names;
  return map;
}

binlog::Rows TakeRows(ByteReader& reader) {
  binlog::Rows rows;
  rows.kind = reader.Raw<binlog::RowsKind>();
  rows.table_id = reader.U64();
  rows.statement_end = reader.U8() != 0;
  rows.column_count = static_cast<size_t>(reader.U64());
  rows.present = TakeBytes(reader);
  rows.present_after = TakeBytes(reader);
  rows.partial_json = reader.U8() != 0;
  rows.data = TakeBytes(reader);
  return rows;
}

// A new file's name is safe when its folder is.
Status SyncFolderOf(const fs::path& path) {
  const int fd = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return DiskFailure(path.parent_path(), "open");
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!synced) return DiskFailure(path.parent_path(), "write");
  return {};
}

// And the one it is in, in a folder that is there.
Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (!fs::create_directories(folder, error)) return {};  // the file will tell
  PENSTOCK_TRY(SyncFolderOf(folder));
  return SyncFolderOf(folder.parent_path());
}

}  // namespace

HeldEvents::~HeldEvents() {
  if (fd_ >= 0) ::close(fd_);
}

void HeldEvents::Append(const binlog::TableMap& map) {
  // Every field, or this does not compile. What `optional` holds beside these no reader of held
  // rows asks for.
  [[maybe_unused]] const auto& [table_id, schema, table, types, metadata, nullable, is_unsigned,
                                names, optional] = map;
  const size_t begin = memory_.size();
  memory_.resize(begin + kHeaderSize);
  Put(memory_, RecordKind::kTableMap);
  Put(memory_, table_id);
  PutBytes(memory_, schema);
  PutBytes(memory_, table);
  PutBytes(memory_, types);
  PutBytes(memory_, BytesOf(metadata));
  PutBytes(memory_, nullable);
  PutBytes(memory_, BytesOf(is_unsigned));
  Put<uint64_t>(memory_, names.size());
  for (const std::string_view name : names) PutBytes(memory_, name);
  Seal(begin);
}

void HeldEvents::Append(const binlog::Rows& rows) {
  const auto& [kind, table_id, statement_end, column_count, present, present_after, partial_json,
               data] = rows;
  const size_t begin = memory_.size();
  memory_.resize(begin + kHeaderSize);
  Put(memory_, RecordKind::kRows);
  Put(memory_, kind);
  Put(memory_, table_id);
  Put<uint8_t>(memory_, statement_end ? 1 : 0);
  Put<uint64_t>(memory_, column_count);
  PutBytes(memory_, present);
  PutBytes(memory_, present_after);
  Put<uint8_t>(memory_, partial_json ? 1 : 0);
  PutBytes(memory_, data);
  Seal(begin);
}

// Writes the header of the record that begins there and has just been written.
void HeldEvents::Seal(size_t begin) {
  const std::string_view body = std::string_view(memory_).substr(begin + kHeaderSize);
  const uint64_t header[] = {body.size(), Checksum(body)};
  static_assert(sizeof header == kHeaderSize);
  std::memcpy(memory_.data() + begin, header, kHeaderSize);
}

Status HeldEvents::CutTo(uint64_t bytes) {
  if (bytes >= bytes_in_file_) {
    memory_.resize(static_cast<size_t>(bytes - bytes_in_file_));
    return {};
  }
  memory_.clear();
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) return DiskFailure(path_, "shorten");
  bytes_in_file_ = bytes;
  return {};
}

Status HeldEvents::Spill() {
  if (!is_made_) {
    PENSTOCK_TRY(MakeFolder(path_.parent_path()));
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) return DiskFailure(path_, "make");
    is_made_ = true;
  }
  for (size_t done = 0; done < memory_.size();) {
    const ssize_t written = ::pwrite(fd_, memory_.data() + done, memory_.size() - done,
                                     static_cast<off_t>(bytes_in_file_ + done));
    if (written < 0 && errno != EINTR) return DiskFailure(path_, "write");
    if (written > 0) done += static_cast<size_t>(written);
  }
  bytes_in_file_ += memory_.size();
  memory_ = {};
  return {};
}

Status HeldEvents::Secure() {
  if (is_made_ && fd_ < 0) return {};  // it is
  PENSTOCK_TRY(Spill());
  if (::fsync(fd_) != 0) return DiskFailure(path_, "write");
  PENSTOCK_TRY(SyncFolderOf(path_));
  ::close(fd_);
  fd_ = -1;
  return {};
}

Failure HeldEventsReader::Damaged(std::string_view what) const {
  return Fail(ErrorCode::kBadData, "the file {} with changes of an XA transaction {}",
              events_->path_.string(), what);
}

Result<std::string_view> HeldEventsReader::Take(size_t size) {
  const HeldEvents& events = *events_;
  if (size > events.bytes() - position_) return Damaged("is cut short");
  if (position_ >= events.bytes_in_file_) {
    const auto at = static_cast<size_t>(position_ - events.bytes_in_file_);
    position_ += size;
    return std::string_view(events.memory_).substr(at, size);
  }
  if (!file_) file_.reset(std::fopen(events.path_.c_str(), "rbe"));
  if (!file_) return Damaged(fmt::format("cannot be read: {}", std::strerror(errno)));
  struct stat info {};
  // The length in a header is believed only where the file has as much.
  if (::fstat(::fileno(file_.get()), &info) != 0 ||
      position_ + size > static_cast<uint64_t>(info.st_size)) {
    return Damaged("is cut short");
  }
  // What was in memory when it was read last may be in the file by now.
  if (file_position_ != position_) {
    file_position_ = position_;
    if (::fseeko(file_.get(), static_cast<off_t>(position_), SEEK_SET) != 0) {
      return Damaged("cannot be read");
    }
  }
  record_.resize(size);
  if (std::fread(record_.data(), 1, size, file_.get()) != size) return Damaged("cannot be read");
  file_position_ += size;
  position_ += size;
  return std::string_view(record_);
}

Result<HeldEventsReader::Event> HeldEventsReader::Next() {
  if (position_ == events_->bytes()) return Event();
  PENSTOCK_ASSIGN(const std::string_view header, Take(kHeaderSize));
  ByteReader header_reader(header);
  const uint64_t size = header_reader.U64();
  const uint64_t checksum = header_reader.U64();
  PENSTOCK_ASSIGN(const std::string_view body, Take(static_cast<size_t>(size)));
  if (Checksum(body) != checksum) return Damaged("is damaged");
  ByteReader reader(body);
  Event event;
  switch (reader.Raw<RecordKind>()) {
    case RecordKind::kTableMap:
      event = TakeTableMap(reader, table_map_);
      break;
    case RecordKind::kRows:
      event = TakeRows(reader);
      break;
    default:
      reader.Fail();
  }
  if (!reader.ok() || !reader.AtEnd()) return Damaged("is damaged");
  return event;
}

}  // namespace penstock::stream
