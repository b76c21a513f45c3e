#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::model {

// What may happen to a value that ClickHouse cannot hold as it is, outside of keys. Each is
// counted.
enum class Change : uint8_t {
  kClamped,   // the nearest value that the type holds
  kNulled,    // NULL, since no value is near (a zero date)
  kReplaced,  // the type's default, where that NULL is not allowed; or "?" for bytes of a text that
              // are no character of its character set
  kCount,
};

// "clamped", "nulled", "replaced"
std::string_view ChangeName(Change change);

struct ChangeCounts {
  std::array<uint64_t, static_cast<size_t>(Change::kCount)> counts{};

  uint64_t& operator[](Change change) { return counts[static_cast<size_t>(change)]; }
  uint64_t operator[](Change change) const { return counts[static_cast<size_t>(change)]; }
  uint64_t total() const;
  void Add(const ChangeCounts& other);
  bool operator==(const ChangeCounts&) const = default;
};

struct ColumnChanges {
  std::string column;
  ChangeCounts counts;

  bool operator==(const ColumnChanges&) const = default;
};

// Of the rows of one table: only columns with changes, each once.
using ValueChanges = std::vector<ColumnChanges>;

uint64_t TotalOf(const ValueChanges& changes);
void AddTo(ValueChanges& sum, const ValueChanges& more);

}  // namespace penstock::model
