#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "model/gtid.h"
#include "model/position.h"

namespace {

// What was read is written so that it is read again as the same.
template <typename Set>
void ExpectRoundTrip(std::string_view text) {
  const auto set = Set::Parse(text);
  if (!set) return;
  const auto again = Set::Parse(set->ToString());
  PENSTOCK_CHECK(again && *again == *set);
  PENSTOCK_CHECK(set->empty() == set->ToString().empty());
}

void ExpectContainsItself(std::string_view text) {
  const auto set = penstock::model::MysqlGtidSet::Parse(text);
  if (!set) return;
  penstock::model::MysqlGtidSet twice = *set;
  twice.Add(*set);
  PENSTOCK_CHECK(twice == *set && twice.Contains(*set));
  PENSTOCK_CHECK(penstock::model::MysqlGtidSet::Decode(set->Encode()) == *set);
  PENSTOCK_CHECK(set->Without(*set).empty());
}

void ExpectEncodedRoundTrip(std::string_view bytes) {
  const auto set = penstock::model::MysqlGtidSet::Decode(bytes);
  if (!set) return;
  PENSTOCK_CHECK(penstock::model::MysqlGtidSet::Parse(set->ToString()) == *set);
}

void ExpectPositionRoundTrip(std::string_view text) {
  const auto position = penstock::model::Position::Parse(text);
  if (!position) return;
  const auto again = penstock::model::Position::Parse(position->Serialize());
  PENSTOCK_CHECK(again && *again == *position);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ExpectRoundTrip<penstock::model::MysqlGtidSet>(text);
  ExpectRoundTrip<penstock::model::MariadbGtidPosition>(text);
  ExpectContainsItself(text);
  ExpectEncodedRoundTrip(text);
  ExpectPositionRoundTrip(text);
  return 0;
}
