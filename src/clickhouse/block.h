#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace penstock::clickhouse {

static_assert(std::endian::native == std::endian::little, "Native is little-endian");

// A growing array of bytes for column data: unlike std::vector it does not clear what it grows by.
// Reserve once per row or batch, then append unchecked. A buffer that was moved from is empty.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  size_t size() const { return size_; }
  const char* data() const { return data_.get(); }
  std::string_view view() const { return {data_.get(), size_}; }
  size_t capacity() const { return capacity_; }

  // A fixed-width value, little-endian.
  template <typename T>
  requires(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> &&
           !std::is_convertible_v<T, std::string_view>) void Append(T value) {
    Reserve(sizeof(T));
    std::memcpy(data_.get() + size_, &value, sizeof(T));
    size_ += sizeof(T);
  }
  // The low bytes (8 at most) of an integer.
  void AppendLow(uint64_t value, size_t bytes) {
    Reserve(sizeof(value));
    std::memcpy(data_.get() + size_, &value, sizeof(value));
    size_ += bytes;
  }
  void Append(std::string_view bytes) {
    Reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Unsigned LEB128, as Native writes lengths.
  void AppendVarint(uint64_t value) {
    Reserve(10);
    size_ = PutVarint(size_, value);
  }
  void AppendZeros(size_t count) {
    Reserve(count);
    if (count != 0) std::memset(data_.get() + size_, 0, count);
    size_ += count;
  }
  // A string whose bytes are appended before their number is known: between the two calls. Costs
  // nothing more when they are about as many as expected.
  struct OpenString {
    size_t begin = 0;         // where its length goes
    size_t length_bytes = 0;  // kept free for it
  };
  OpenString BeginString(size_t expected_bytes) {
    const OpenString opened{.begin = size_, .length_bytes = VarintBytes(expected_bytes)};
    AppendZeros(opened.length_bytes);
    return opened;
  }
  void EndString(OpenString opened);
  // Room for `more` bytes beyond size(): they count when they are written and told to Commit.
  char* Room(size_t more) {
    Reserve(more);
    return data_.get() + size_;
  }
  void Commit(size_t written) { size_ += written; }
  // Makes room for `more` bytes beyond size().
  void Reserve(size_t more) {
    if (capacity_ - size_ < more) [[unlikely]]
      Grow(more);
  }
  // Drops what lies after the first `size` bytes; `size` is at most size().
  void Truncate(size_t size) { size_ = size; }
  void Clear() { size_ = 0; }

 private:
  static size_t VarintBytes(uint64_t value) {
    return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
  }
  // Within what is reserved; the place after it.
  size_t PutVarint(size_t at, uint64_t value) {
    while (value >= 0x80) {
      data_[at++] = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    data_[at++] = static_cast<char>(value);
    return at;
  }
  void Grow(size_t more);

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// One column of a block, in the very bytes that Native sends: fixed-width values little-endian one
// after the other, strings as varint length and bytes. For Nullable, `nulls` holds a byte a row
// (1: NULL; the value is then the type's default). For Array, `ends` holds a UInt64 a row, the
// number of elements in `values` up to that row's end; an Array is never Nullable.
struct ColumnData {
  std::string name;
  std::string type;  // what the bytes are: the table's own type, without LowCardinality
  bool nullable = false;
  std::string prefix;  // bytes before everything else: the serialization's version, for JSON
  Buffer nulls;
  Buffer ends;
  Buffer values;

  size_t bytes() const { return nulls.size() + ends.size() + values.size(); }
  // Drops what lies after the first `rows` rows, whose values are the first `values_size` bytes.
  void Truncate(size_t rows, size_t values_size);
};

// A mark to take appended rows back to: the sizes of every buffer at that moment.
struct BlockMark {
  size_t rows = 0;
  std::vector<size_t> sizes;  // of each column's values
};

// Rows of one table as columns. One owner at a time; moved, never copied.
struct Block {
  std::vector<ColumnData> columns;
  size_t rows = 0;

  size_t bytes() const;
  BlockMark Mark() const;
  // Likewise, into the memory of `mark`.
  void MarkInto(BlockMark& mark) const;
  // Drops every row (also a half-appended one) after `mark`.
  void Restore(const BlockMark& mark);
  // Forgets the rows, keeps the memory.
  void Clear();
};

// The pieces of `block` in Native format, in order: views into the block, and headers held in
// `headers`, which must live as long as the pieces. Nothing of the data is copied.
// Format: https://clickhouse.com/docs/interfaces/formats/Native
std::vector<std::string_view> NativePieces(const Block& block, std::string& headers);

}  // namespace penstock::clickhouse
