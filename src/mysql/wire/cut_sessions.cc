#include "mysql/wire/cut_sessions.h"

#include <fmt/format.h>

namespace penstock::mysql {
namespace {

constexpr size_t kSessionsMax = 256;
constexpr std::chrono::minutes kAgeMax{2};

}  // namespace

void CutSessions::Add(uint64_t session) {
  MutexLock lock(mutex_);
  cuts_.push_back({.session = session, .at = Clock::Real().Steady()});
  if (cuts_.size() > kSessionsMax) cuts_.pop_front();
}

std::deque<uint64_t> CutSessions::Take() {
  std::deque<uint64_t> sessions;
  MutexLock lock(mutex_);
  for (const Cut& cut : cuts_) {
    if (Clock::Real().Steady() - cut.at < kAgeMax) sessions.push_back(cut.session);
  }
  cuts_.clear();
  return sessions;
}

Status EndCutSessions(const Endpoint& endpoint, std::string_view purpose, std::stop_token stop) {
  if (!endpoint.cut_sessions) return {};
  const auto sessions = endpoint.cut_sessions->Take();
  if (sessions.empty()) return {};
  PENSTOCK_ASSIGN(auto connection, Connection::Open(endpoint, purpose, stop));
  for (const uint64_t session : sessions) {
    // Most have ended by now, which is an error of the statement.
    Status ended = connection.Execute(fmt::format("KILL CONNECTION {}", session), stop);
    if (!ended && ended.error().code == ErrorCode::kCancelled) return ended;
  }
  return {};
}

}  // namespace penstock::mysql
