#include "model/value_changes.h"

#include <algorithm>
#include <numeric>

namespace penstock::model {

std::string_view ChangeName(Change change) {
  switch (change) {
    case Change::kClamped:
      return "clamped";
    case Change::kNulled:
      return "nulled";
    case Change::kReplaced:
    case Change::kCount:
      break;
  }
  return "replaced";
}

uint64_t ChangeCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

void ChangeCounts::Add(const ChangeCounts& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
}

uint64_t TotalOf(const ValueChanges& changes) {
  uint64_t total = 0;
  for (const ColumnChanges& column : changes) total += column.counts.total();
  return total;
}

void AddTo(ValueChanges& sum, const ValueChanges& more) {
  for (const ColumnChanges& column : more) {
    const auto found = std::ranges::find(sum, column.column, &ColumnChanges::column);
    if (found == sum.end()) {
      sum.push_back(column);
    } else {
      found->counts.Add(column.counts);
    }
  }
}

}  // namespace penstock::model
