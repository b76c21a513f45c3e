#include "stream/log_follower.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/backoff.h"
#include "mysql/wire/binlog_dump.h"
#include "mysql/wire/definitions.h"
#include "obs/log.h"

namespace penstock::stream {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

LogFollower::LogFollower(Assembler& assembler, const StreamOptions& options,
                         BoundedQueue<Batch>& batches, const Brake& brake,
                         std::function<void()> on_idle)
    : assembler_(assembler),
      options_(options),
      source_check_(assembler, options),
      batches_(batches),
      brake_(brake),
      on_idle_(std::move(on_idle)),
      memory_(*options.memory),
      pushed_at_(options.clock->Steady()),
      pushed_position_(assembler.position()) {}

Status LogFollower::Run(std::stop_token stop) {
  Backoff backoff;
  while (true) {
    connected_ = false;
    Status status = FollowOnce(stop);
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
    assembler_.Reconnect();
    if (!status) status = source_check_.AfterSession(std::move(status).error());
    if (status) continue;
    if (status.error().code != ErrorCode::kRetry) {
      if (assembler_.rows() != 0 || assembler_.cut_due()) PENSTOCK_TRY(Push(stop));
      return status;
    }
    if (connected_) backoff.Reset();
    options_.on_log_retry(&status.error());
    LogWarning(options_.pipe_name, "log: {}; connecting again", status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

Status LogFollower::FollowOnce(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto connection,
                  mysql::Connection::Open(options_.source, options_.pipe_name + " log", stop));
  PENSTOCK_TRY(source_check_.BeforeSession(connection, stop));
  PENSTOCK_ASSIGN(const bool ignore_case, mysql::NamesIgnoreCase(connection, stop));
  assembler_.set_names_ignore_case(ignore_case);
  assembler_.set_source(connection.server());
  PENSTOCK_ASSIGN(const bool names, mysql::LogsColumnNames(connection, stop));
  assembler_.set_names_are_logged(names);
  PENSTOCK_ASSIGN(const bool checksum, mysql::StartDump(connection,
                                                        {.start = assembler_.position(),
                                                         .server_id = options_.server_id,
                                                         .heartbeat = HeartbeatPeriod()},
                                                        stop));
  binlog::EventParser parser;
  parser.set_checksum(checksum);
  SilenceWatch watch(connection, *options_.clock, stop);
  while (true) {
    PENSTOCK_ASSIGN(const binlog::Event event, NextEvent(connection, parser, watch));
    if (!connected_) {
      connected_ = true;
      options_.on_log_retry(nullptr);
    }
    PENSTOCK_TRY(Consume(event));
    if (source_check_.AsksForNewSession()) return {};
    PENSTOCK_TRY(AfterEvent(stop));
    while (assembler_.replaying()) {
      if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
      PENSTOCK_TRY(assembler_.Replay());
      PENSTOCK_TRY(AfterEvent(stop));
    }
    if (std::holds_alternative<binlog::Heartbeat>(event.body) && assembler_.rows() == 0 &&
        batches_.size() == 0) {
      CountFetched(0);
      on_idle_();
    }
  }
}

Status LogFollower::AfterEvent(std::stop_token stop) {
  for (auto& request : options_.fence_requests->Take()) {
    assembler_.FenceTable(request.table, std::move(request.error));
  }
  return PushIfDue(std::move(stop));
}

// A packet lives until the next one is asked for: not before its payload is through. While there
// is no row the time belongs to no batch.
Result<binlog::Event> LogFollower::NextEvent(mysql::Connection& connection,
                                             binlog::EventParser& parser, SilenceWatch& watch) {
  PENSTOCK_ASSIGN(const auto inside, parser.NextInPayload());
  if (inside && watch.token().stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
  if (inside) return *inside;
  const SteadyTime begin = options_.clock->Steady();
  watch.Waits(begin);
  const auto packet = connection.NextPacket(watch.token());
  watch.WaitsNot();
  if (watch.broke()) return Fail(watch.error());
  if (!packet) return Fail(packet.error());
  if (!*packet) return Fail(ErrorCode::kRetry, "the source ended the log session");
  if (assembler_.rows() != 0) reading_ += options_.clock->Steady() - begin;
  fetched_bytes_ += (*packet)->size();
  return parser.Parse(**packet);
}

Status LogFollower::Consume(const binlog::Event& event) {
  const SteadyTime begin = options_.clock->Steady();
  PENSTOCK_TRY(assembler_.Consume(event));
  if (assembler_.rows() != 0) decoding_ += options_.clock->Steady() - begin;
  return {};
}

Status LogFollower::PushIfDue(std::stop_token stop) {
  if (IsFull()) return Push(stop);
  if (assembler_.in_transaction()) return {};
  if (assembler_.cut_due()) return Push(stop);
  const SteadyTime now = options_.clock->Steady();
  if (assembler_.rows() == 0) {
    const bool moved =
        !(now - pushed_at_ < std::max(options_.sync_interval, milliseconds(1'000))) &&
        assembler_.position() != pushed_position_;
    return moved && batches_.size() == 0 ? Push(stop) : Status();
  }
  const bool due = assembler_.rows() >= options_.batch_rows_max || !rows_pushed_at_ ||
                   now - *rows_pushed_at_ >= options_.sync_interval;
  const bool braked = rows_pushed_at_ && now - *rows_pushed_at_ < brake_.interval();
  return due && !braked && batches_.size() == 0 ? Push(stop) : Status();
}

// Buffers that grow by doubling take up to twice what is in them.
bool LogFollower::IsFull() {
  const uint64_t bytes = assembler_.bytes();
  return bytes >= options_.batch_bytes_max || !memory_.TryRaiseTo(2 * bytes);
}

void LogFollower::CountFetched(uint64_t rows) {
  options_.traffic->rows_fetched += rows;
  options_.traffic->bytes_fetched += std::exchange(fetched_bytes_, 0);
}

Status LogFollower::Push(std::stop_token stop) {
  pushed_at_ = options_.clock->Steady();
  if (assembler_.rows() != 0) rows_pushed_at_ = pushed_at_;
  PENSTOCK_TRY(assembler_.SecurePrepared());
  Batch batch = assembler_.TakeBatch();
  CountFetched(batch.rows);
  batch.reading = duration_cast<UnixMicros>(std::exchange(reading_, {}));
  batch.decoding = duration_cast<UnixMicros>(std::exchange(decoding_, {}));
  batch.memory = std::exchange(memory_, MemoryBudget::Lease(*options_.memory));
  pushed_position_ = batch.end;
  if (!batches_.Push(std::move(batch), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  return {};
}

// Heartbeats also wake the reader to close a batch that has waited long enough.
milliseconds LogFollower::HeartbeatPeriod() const {
  return std::clamp(options_.sync_interval / 4, milliseconds(50), milliseconds(1'000));
}

}  // namespace penstock::stream
