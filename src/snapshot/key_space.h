#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/table.h"
#include "model/value.h"

namespace penstock::snapshot {

// Maps the values of a key column to numbers in about the order of its index, and numbers back to
// values, so that a place between two rows can be guessed without reading what lies between. Only a
// guess: where rows really lie, and how text is ordered, only the server knows.
class KeySpace {
 public:
  // The space from the column's lowest to its highest value; text and bytes keep what both begin
  // with and have their numbers for what follows. Nothing for types of which no order is known
  // (floating point, ENUM, SET, UUID, text that is not based on ASCII).
  static std::optional<KeySpace> Between(const model::Column& column, const model::Value& lowest,
                                         const model::Value& highest);

  // Whether no two values have the same place (integers).
  bool is_one_to_one() const { return kind_ == Kind::kInt || kind_ == Kind::kUint; }

  // Of a value between the two; another one's is as near as may be.
  uint64_t PlaceOf(const model::Value& value) const;

  // The literal (mysql::KeyLiteral) of a value at that place, or as near as the type has one.
  std::string LiteralAt(uint64_t place) const;

 private:
  enum class Kind : uint8_t { kInt, kUint, kDecimal, kDay, kCivil, kInstant, kTime, kBytes, kText };
  KeySpace(const model::Column& column, Kind kind) : column_(column), kind_(kind) {}

  static std::optional<Kind> KindOf(const model::Column& column, const model::Value& value);
  uint64_t PlaceOfBytes(std::string_view bytes) const;
  std::string BytesAt(uint64_t place) const;

  model::Column column_;
  Kind kind_;
  std::string prefix_;       // of every value
  size_t size_ = 0;          // of fixed-size bytes; 0: any
  bool upper_case_ = false;  // letters of text
};

}  // namespace penstock::snapshot
