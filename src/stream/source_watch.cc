#include "stream/source_watch.h"

#include <utility>

#include "mysql/wire/start_position.h"

namespace penstock::stream {
namespace {

constexpr std::chrono::seconds kAnswerMax{10};

}  // namespace

SourceWatch::SourceWatch(const StreamOptions& options, StreamJournal* journal)
    : options_(options), journal_(journal) {}

void SourceWatch::Run(std::stop_token stop) {
  do {
    const auto log = Ask(stop);
    if (!log) connection_.reset();
    if (!stop.stop_requested()) journal_->SourceSeen(log ? std::optional(*log) : std::nullopt);
  } while (options_.clock->Wait(options_.source_watch_interval, stop));
}

Result<SourceLog> SourceWatch::Ask(std::stop_token stop) {
  if (!connection_) {
    mysql::Endpoint source = options_.source;
    source.io_timeout = kAnswerMax;
    PENSTOCK_ASSIGN(connection_,
                    mysql::Connection::Open(source, options_.pipe_name + " watch", stop));
  }
  SourceLog log;
  const SteadyTime asked_at = options_.clock->Steady();
  PENSTOCK_ASSIGN(log.server, mysql::ServerName(*connection_, stop));
  PENSTOCK_ASSIGN(log.retention, mysql::LogRetention(*connection_, stop));
  PENSTOCK_ASSIGN(log.gtids, mysql::LoggedGtids(*connection_, stop));
  auto files = mysql::LogFiles(*connection_, stop);
  if (files) {
    log.files = *std::move(files);
  } else if (files.error().code != ErrorCode::kNeedsUser) {
    return Fail(std::move(files).error());
  }
  log.answered_in =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.clock->Steady() - asked_at);
  return log;
}

}  // namespace penstock::stream
