#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "model/gtid.h"
#include "mysql/binlog/event_body.h"

namespace {

// A transaction that was read whole is one that a set of transactions can hold.
void ExpectSound(const penstock::binlog::MysqlGtidEvent& event) {
  if (!event.gtid) return;
  PENSTOCK_CHECK(event.gtid->number > 0);
  penstock::model::MysqlGtidSet set;
  set.Add(*event.gtid);
  PENSTOCK_CHECK(set.Contains(*event.gtid));
  const auto again = penstock::model::MysqlGtidSet::Parse(event.gtid->ToString());
  PENSTOCK_CHECK(again && *again == set);
}

}  // namespace

// The bodies of all events that begin a transaction.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kServerId = 1;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {penstock::binlog::ParseGtid, penstock::binlog::ParseAnonymousGtid,
                           penstock::binlog::ParseTaggedGtid}) {
    penstock::ByteReader reader(body);
    const auto event = parse(reader);
    if (reader.ok()) ExpectSound(event);
  }
  penstock::ByteReader reader(body);
  const auto event = penstock::binlog::ParseMariadbGtid(reader, kServerId);
  PENSTOCK_CHECK(!reader.ok() || event.gtid.server == kServerId);
  return 0;
}
