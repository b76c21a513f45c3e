#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "model/table.h"
#include "model/value.h"
#include "mysql/wire/connection.h"
#include "snapshot/key_range.h"
#include "snapshot/key_space.h"

namespace penstock::snapshot {

// Cuts a table into partitions of about so many rows, one boundary a call, so that the first
// partitions are read while later ones are planned. Of a unique integer key with few holes, a row
// for each number is counted. Of others a boundary is guessed between the lowest and the highest
// key that are left, and the server's optimizer, which looks only at a few pages of the index, is
// asked how many rows lie before it (for more than some pages it answers twice as many). Where that
// leads nowhere (no order is known, one value of the first column has more rows than a partition,
// or the server thinks that few rows are left), the index is walked from the last boundary for as
// many rows as a partition has. Rows inserted behind the planner lie in the last partition, or come
// by the log. Holds no state on the server; one thread at a time.
class Planner {
 public:
  struct Options {
    std::string comment;       // "/* ... */ " put into every query
    bool skips_empty = false;  // a table without rows has no partition
    uint64_t rows = 0;         // of the whole table, about
  };
  // `after`: the last partition planned earlier, to go on from. `table` outlives the planner.
  Planner(const model::Table& table, RangeKey key, Options options,
          const std::optional<Partition>& after);

  // The next partition, of about so many rows; nullopt when the one before reached the end of the
  // table, or there are none.
  Result<std::optional<Partition>> Next(mysql::Connection& connection, uint64_t rows,
                                        std::stop_token stop);

 private:
  // The key of a row that is there.
  struct Key {
    Boundary boundary;
    model::Value first;  // of its first column; with `bytes`
    std::string bytes;

    model::Value FirstValue() const;
  };
  // A boundary, or the end of the table.
  using Upper = std::optional<Boundary>;

  // Nothing where the numbers of a key do not tell how many rows there are.
  Result<std::optional<Upper>> CountUpper(mysql::Connection& connection, const KeySpace& space,
                                          const Key& first, const Key& last, std::stop_token stop);
  // Nothing where no guess leads to a partition of the right size.
  Result<std::optional<Upper>> GuessUpper(mysql::Connection& connection, std::stop_token stop);
  Result<Upper> WalkUpper(mysql::Connection& connection, std::stop_token stop);
  // The first, last or nth key beyond a boundary.
  Result<std::optional<Key>> FindKey(mysql::Connection& connection,
                                     const std::optional<Boundary>& lower,
                                     std::string_view direction, uint64_t offset,
                                     std::stop_token stop);
  // About how many rows lie between the last boundary and this one.
  Result<uint64_t> CountTo(mysql::Connection& connection, const Boundary& boundary,
                           std::stop_token stop);

  const model::Table& table_;
  Options options_;
  uint64_t rows_wanted_ = 0;  // of the partition at hand
  RangeKey key_;
  model::Table keys_;  // the table with the key's columns only
  uint32_t next_index_ = 0;
  std::optional<Boundary> lower_;
  std::optional<uint64_t> lowest_;  // place of the table's first key
  bool is_empty_ = false;           // for sure
  bool ended_ = false;
};

}  // namespace penstock::snapshot
