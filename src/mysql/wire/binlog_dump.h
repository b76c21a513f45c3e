#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "base/status.h"
#include "model/position.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

struct DumpOptions {
  model::Position start;
  // Unique among all replicas of the source. A second dump with the same id makes the server end
  // the first with error 1236, which says so.
  uint32_t server_id = 0;
  // An idle source sends a heartbeat this often. Keep it below Endpoint::io_timeout.
  std::chrono::milliseconds heartbeat{10'000};
};

// Makes the server list this connection as a replica; it stays of use for queries. What proves that
// the user may read the log: kNeedsUser, with the remedy, if not.
Status RegisterAsReplica(Connection& connection, uint32_t server_id, std::stop_token stop);

// Registers as a replica (SHOW REPLICAS lists it) and asks for the log from `start` on, endless.
// Then read with Connection::NextPacket; a start that the server cannot serve (purged, unknown)
// is the error of the first packet, kNeedsUser with errno 1236. Answers whether the events carry
// checksums until the first format description says so itself (EventParser::set_checksum).
// A file position beyond 4 GiB is kNeedsUser: the command has 32 bits for it.
Result<bool> StartDump(Connection& connection, const DumpOptions& options, std::stop_token stop);

}  // namespace penstock::mysql
