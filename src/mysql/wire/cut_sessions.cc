#include "mysql/wire/cut_sessions.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::mysql {
namespace {

constexpr size_t kSessionsMax = 256;
constexpr std::chrono::minutes kAgeMax{2};

// As the process list has it: "address:port"; "localhost" for a unix socket.
bool IsFrom(const TextRow& row, uint16_t client_port) {
  const std::string host = row.at(0).value_or("");
  return client_port == 0 ? host == "localhost" : host.ends_with(fmt::format(":{}", client_port));
}

}  // namespace

void CutSessions::Add(Cut cut) {
  MutexLock lock(mutex_);
  cuts_.push_back(cut);
  if (cuts_.size() > kSessionsMax) cuts_.pop_front();
}

std::deque<CutSessions::Cut> CutSessions::Take() {
  MutexLock lock(mutex_);
  std::deque<Cut> cuts = std::exchange(cuts_, {});
  std::erase_if(cuts, [](const Cut& cut) { return Clock::Real().Steady() - cut.at >= kAgeMax; });
  return cuts;
}

Status EndCutSessions(const Endpoint& endpoint, std::string_view purpose, std::stop_token stop) {
  if (!endpoint.cut_sessions) return {};
  const auto cuts = endpoint.cut_sessions->Take();
  if (cuts.empty()) return {};
  PENSTOCK_ASSIGN(auto connection, Connection::Open(endpoint, purpose, stop));
  for (const CutSessions::Cut& cut : cuts) {
    PENSTOCK_ASSIGN(const auto rows,
                    connection.Query(fmt::format("SELECT HOST FROM information_schema.PROCESSLIST "
                                                 "WHERE ID = {} AND USER = SUBSTRING_INDEX("
                                                 "USER(), '@', 1)",
                                                 cut.session),
                                     stop));
    if (rows.empty() || !IsFrom(rows[0], cut.client_port)) continue;
    // It may have ended by now, which is an error of the statement.
    Status ended = connection.Execute(fmt::format("KILL CONNECTION {}", cut.session), stop);
    if (!ended && ended.error().code == ErrorCode::kCancelled) return ended;
  }
  return {};
}

}  // namespace penstock::mysql
