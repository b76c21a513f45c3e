#include "snapshot/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "mysql/wire/binary_row.h"
#include "mysql/wire/table_read.h"

namespace penstock::snapshot {
namespace {

// Each halves what is left at least every other time; more than this is not worth its time.
constexpr int kGuessesMax = 40;

// Of fewer rows the estimates tell nothing.
constexpr uint64_t kGuessedRowsMin = 100;

// InnoDB answers no more than half of what its statistics say the table has, and they may be old.
// So a small number means nothing, neither that the table ends nor that a partition is right.
constexpr uint64_t kTrustedPartitions = 2;

// A partition of such a key has no more than a quarter too many rows.
constexpr double kFilledMin = 0.8;

// A rest of so many partitions is one.
constexpr double kLastPartitionMax = 1.25;

uint64_t ToNumber(const std::optional<std::string>& text) {
  uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

model::Table WithColumns(const model::Table& table, const std::vector<size_t>& columns) {
  model::Table part;
  part.name = table.name;
  for (const size_t index : columns) part.columns.push_back(table.columns[index]);
  return part;
}

// A place between two that hold `low_rows` and `high_rows` with about `wanted` rows, if they lie
// evenly; in the middle when `evenly` has not proved right.
uint64_t Between(uint64_t low, uint64_t high, uint64_t low_rows, uint64_t high_rows,
                 uint64_t wanted, bool evenly) {
  double share = 0.5;
  if (evenly && high_rows > low_rows) {
    share = static_cast<double>(wanted - low_rows) / static_cast<double>(high_rows - low_rows);
  }
  const auto step = static_cast<uint64_t>(static_cast<double>(high - low) * share);
  return low + std::clamp<uint64_t>(step, 1, high - low - 1);
}

}  // namespace

Planner::Planner(const model::Table& table, RangeKey key, Options options,
                 const std::optional<Partition>& after)
    : table_(table),
      options_(std::move(options)),
      key_(std::move(key)),
      keys_(WithColumns(table, key_.columns)) {
  if (!after) return;
  next_index_ = after->index + 1;
  lower_ = after->upper;
  ended_ = !after->upper.has_value();
}

Result<std::optional<Partition>> Planner::Next(mysql::Connection& connection, uint64_t rows,
                                               std::stop_token stop) {
  if (ended_) return std::nullopt;
  rows_wanted_ = rows;
  Upper upper;
  if (!key_.columns.empty()) {
    PENSTOCK_ASSIGN(const auto guessed, GuessUpper(connection, stop));
    if (guessed) {
      upper = *guessed;
    } else {
      PENSTOCK_ASSIGN(upper, WalkUpper(connection, stop));
    }
  }
  if (is_empty_ && options_.skips_empty) {
    ended_ = true;
    return std::nullopt;
  }
  Partition partition{.index = next_index_++, .lower = lower_, .upper = upper};
  lower_ = std::move(upper);
  ended_ = !lower_.has_value();
  return partition;
}

Result<std::optional<Planner::Upper>> Planner::GuessUpper(mysql::Connection& connection,
                                                          std::stop_token stop) {
  const uint64_t wanted = rows_wanted_;
  if (wanted < kGuessedRowsMin) return std::nullopt;
  PENSTOCK_ASSIGN(const auto first, FindKey(connection, lower_, "", 0, stop));
  // What is not found may be NULL.
  is_empty_ = !first && !lower_ && !keys_.columns[0].nullable;
  if (!first) return Upper();
  PENSTOCK_ASSIGN(const auto last, FindKey(connection, lower_, " DESC", 0, stop));
  if (!last) return Upper();
  const auto space = KeySpace::Between(keys_.columns[0], first->FirstValue(), last->FirstValue());
  if (!space) return std::nullopt;
  PENSTOCK_ASSIGN(const auto counted, CountUpper(connection, *space, *first, *last, stop));
  if (counted) return counted;
  PENSTOCK_ASSIGN(const uint64_t left, CountTo(connection, last->boundary, stop));
  if (left < kTrustedPartitions * wanted) return std::nullopt;

  uint64_t low = space->PlaceOf(first->FirstValue());
  uint64_t high = space->PlaceOf(last->FirstValue());
  uint64_t low_rows = 0;
  uint64_t high_rows = left;
  for (int guess = 0; guess < kGuessesMax && high > low && high - low > 1; ++guess) {
    const uint64_t place = Between(low, high, low_rows, high_rows, wanted, guess % 2 == 0);
    Boundary boundary = {space->LiteralAt(place)};
    PENSTOCK_ASSIGN(const uint64_t rows, CountTo(connection, boundary, stop));
    if (rows >= wanted / 2 && rows <= wanted + wanted / 2) return Upper(std::move(boundary));
    (rows < wanted ? low : high) = place;
    (rows < wanted ? low_rows : high_rows) = rows;
  }
  return std::nullopt;
}

Result<std::optional<Planner::Upper>> Planner::CountUpper(mysql::Connection& connection,
                                                          const KeySpace& space, const Key& first,
                                                          const Key& last, std::stop_token stop) {
  if (!key_.is_unique || keys_.columns.size() != 1 || !space.is_one_to_one()) return std::nullopt;
  const uint64_t low = space.PlaceOf(first.FirstValue());
  const uint64_t high = space.PlaceOf(last.FirstValue());
  if (!lowest_) {
    PENSTOCK_ASSIGN(const auto lowest, FindKey(connection, {}, "", 0, std::move(stop)));
    if (!lowest) return std::nullopt;
    lowest_ = space.PlaceOf(lowest->FirstValue());
  }
  // Those that are written meanwhile may be far apart.
  const double filled = std::min(
      1.0, static_cast<double>(options_.rows) / (static_cast<double>(high - *lowest_) + 1));
  if (filled < kFilledMin) return std::nullopt;
  const double numbers = static_cast<double>(rows_wanted_) / filled;
  if (static_cast<double>(high - low) < numbers * kLastPartitionMax) return Upper();
  return Upper(Boundary{space.LiteralAt(low + static_cast<uint64_t>(numbers) - 1)});
}

Result<Planner::Upper> Planner::WalkUpper(mysql::Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto key, FindKey(connection, lower_, "", rows_wanted_ - 1, stop));
  return key ? Upper(std::move(key->boundary)) : Upper();
}

Result<std::optional<Planner::Key>> Planner::FindKey(mysql::Connection& connection,
                                                     const std::optional<Boundary>& lower,
                                                     std::string_view direction, uint64_t offset,
                                                     std::stop_token stop) {
  std::vector<std::string> order;
  for (const model::Column& column : keys_.columns) {
    order.push_back(mysql::QuoteIdentifier(column.name) + std::string(direction));
  }
  std::string condition = RangeCondition(table_, key_.columns, lower, {});
  if (condition.empty()) condition = mysql::QuoteIdentifier(keys_.columns[0].name) + " IS NOT NULL";
  PENSTOCK_TRY(connection.StartSelect(
      fmt::format("{}SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}", options_.comment,
                  mysql::SelectList(keys_), mysql::FromClause(table_.name, key_.index), condition,
                  fmt::join(order, ","), offset),
      stop));
  std::optional<Key> key;
  mysql::BinaryRowDecoder decoder(keys_);
  std::vector<model::Value> row(keys_.columns.size());
  while (true) {
    PENSTOCK_ASSIGN(const auto packet, connection.NextRow(stop));
    if (!packet) return key;
    PENSTOCK_TRY(decoder.Decode(*packet, row));
    key.emplace();
    for (size_t i = 0; i < row.size(); ++i) {
      key->boundary.push_back(mysql::KeyLiteral(keys_.columns[i], row[i]));
    }
    key->first = row[0];
    key->bytes = row[0].bytes;
  }
}

model::Value Planner::Key::FirstValue() const {
  model::Value value = first;
  value.bytes = bytes;
  return value;
}

// The optimizer's estimate for a range is not of statistics: it goes down the index to both ends.
// (Unless the index is forced, which MySQL takes for a reason not to look.) For most of a table it
// may prefer to scan all of it, and answers the number of all its rows.
Result<uint64_t> Planner::CountTo(mysql::Connection& connection, const Boundary& boundary,
                                  std::stop_token stop) {
  const bool is_mariadb = connection.server().flavour == mysql::Flavour::kMariadb;
  PENSTOCK_ASSIGN(
      const auto plan,
      connection.Query(fmt::format("{}EXPLAIN {}SELECT 1 FROM {} WHERE {}", options_.comment,
                                   is_mariadb ? "" : "FORMAT=TRADITIONAL ",
                                   mysql::FromClause(table_.name, key_.index, "USE"),
                                   RangeCondition(table_, key_.columns, lower_, boundary)),
                       stop));
  // The columns end with: rows, [filtered,] Extra.
  const size_t from_end = is_mariadb ? 2 : 3;
  if (plan.empty() || plan[0].size() < from_end) return 0;
  return ToNumber(plan[0][plan[0].size() - from_end]);
}

}  // namespace penstock::snapshot
