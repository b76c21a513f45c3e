#include "clickhouse/block.h"

#include <algorithm>

#include "base/check.h"

namespace penstock::clickhouse {
namespace {

constexpr size_t kSmallestCapacity = 4096;

void AppendVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void AppendText(std::string_view text, std::string& out) {
  AppendVarint(text.size(), out);
  out += text;
}

}  // namespace

void Buffer::Grow(size_t more) {
  const size_t capacity = std::max({size_ + more, capacity_ * 2, kSmallestCapacity});
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

void Buffer::EndString(OpenString opened) {
  const size_t from = opened.begin + opened.length_bytes;
  const size_t bytes = size_ - from;
  const size_t length_bytes = VarintBytes(bytes);
  if (length_bytes != opened.length_bytes) [[unlikely]] {
    const size_t to = opened.begin + length_bytes;
    if (to > from) Reserve(to - from);
    std::memmove(data_.get() + to, data_.get() + from, bytes);
    size_ = to + bytes;
  }
  PutVarint(opened.begin, bytes);
}

void ColumnData::Truncate(size_t rows, size_t values_size) {
  nulls.Truncate(std::min(nulls.size(), rows));
  ends.Truncate(std::min(ends.size(), rows * sizeof(uint64_t)));
  values.Truncate(values_size);
}

size_t Block::bytes() const {
  size_t bytes = 0;
  for (const ColumnData& column : columns) bytes += column.bytes();
  return bytes;
}

BlockMark Block::Mark() const {
  BlockMark mark;
  MarkInto(mark);
  return mark;
}

void Block::MarkInto(BlockMark& mark) const {
  mark.rows = rows;
  mark.sizes.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) mark.sizes[i] = columns[i].values.size();
}

void Block::Restore(const BlockMark& mark) {
  PENSTOCK_CHECK(mark.sizes.size() == columns.size());
  rows = mark.rows;
  for (size_t i = 0; i < columns.size(); ++i) columns[i].Truncate(rows, mark.sizes[i]);
}

void Block::Clear() {
  rows = 0;
  for (ColumnData& column : columns) {
    column.nulls.Clear();
    column.ends.Clear();
    column.values.Clear();
  }
}

// Revision 0 of the format, which HTTP uses unless the request names a protocol version: no block
// info before the counts and no serialization kind after a column's type.
std::vector<std::string_view> NativePieces(const Block& block, std::string& headers) {
  headers.clear();
  std::vector<size_t> header_ends;
  header_ends.reserve(block.columns.size());
  AppendVarint(block.columns.size(), headers);
  AppendVarint(block.rows, headers);
  for (const ColumnData& column : block.columns) {
    AppendText(column.name, headers);
    AppendText(column.nullable ? "Nullable(" + column.type + ")" : column.type, headers);
    if (block.rows != 0) headers += column.prefix;
    header_ends.push_back(headers.size());
  }

  // Views only now: `headers` no longer moves.
  std::vector<std::string_view> pieces;
  pieces.reserve(block.columns.size() * 4);
  size_t begin = 0;
  for (size_t i = 0; i < block.columns.size(); ++i) {
    const ColumnData& column = block.columns[i];
    pieces.push_back(std::string_view(headers).substr(begin, header_ends[i] - begin));
    begin = header_ends[i];
    if (column.nullable) pieces.push_back(column.nulls.view());
    if (column.ends.size() != 0) pieces.push_back(column.ends.view());
    pieces.push_back(column.values.view());
  }
  if (pieces.empty()) pieces.push_back(headers);
  return pieces;
}

}  // namespace penstock::clickhouse
