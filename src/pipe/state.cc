#include "pipe/state.h"

#include <algorithm>

namespace penstock::pipe {
namespace {

Lifecycle At(State state) { return {.state = state, .resume = state}; }

// Refuses a command; the state and what it allows are added by Next.
Failure Illegal(std::string_view what) { return Fail(ErrorCode::kConflict, "{}", what); }

// Where a milestone leads from a working state; nothing where it cannot happen.
std::optional<State> AfterMilestone(State state, Event event, ReplicationMode mode) {
  if (state == State::kProvisioning && event == Event::kProvisioned) return State::kSetup;
  if (state == State::kSetup && event == Event::kSetUp) {
    return mode == ReplicationMode::kCdcOnly ? State::kRunning : State::kSnapshot;
  }
  if (state == State::kSnapshot && event == Event::kLoaded) {
    return mode == ReplicationMode::kSnapshot ? State::kCompleted : State::kRunning;
  }
  if (state == State::kSetup && event == Event::kReloadSetUp) return State::kSnapshot;
  if (state == State::kSnapshot && event == Event::kLoadedAside) return State::kResync;
  if (state == State::kResync && event == Event::kSwapped) {
    return mode == ReplicationMode::kSnapshot ? State::kCompleted : State::kRunning;
  }
  const bool runs = state == State::kRunning || state == State::kDegraded;
  if (runs && event == Event::kDegraded) return State::kDegraded;
  if (runs && event == Event::kRecovered) return State::kRunning;
  if ((runs || state == State::kSnapshot) && event == Event::kResyncDue) return State::kSetup;
  return std::nullopt;
}

Result<Lifecycle> Start(const Lifecycle& at) {
  if (at.state == State::kPaused || at.state == State::kFailed) return At(at.resume);
  if (IsWorking(at.state)) return Illegal("ClickPipe is already running");
  return Illegal("The pipe cannot be started");
}

Result<Lifecycle> Stop(const Lifecycle& at) {
  if (IsWorking(at.state)) return Lifecycle{.state = State::kPausing, .resume = at.resume};
  if (at.state == State::kPausing || at.state == State::kPaused) return at;
  if (at.state == State::kFailed) return Lifecycle{.state = State::kPaused, .resume = at.resume};
  return Illegal("The pipe cannot be stopped");
}

// Of a pipe that has been set up: of one in Setup only its runner knows whether its tables are
// known.
Result<Lifecycle> Resync(const Lifecycle& at) {
  const bool set_up =
      at.resume == State::kCompleted || (IsWorking(at.resume) && at.resume != State::kProvisioning);
  const bool busy =
      at.state == State::kPausing || at.state == State::kResync || at.state == State::kModifying;
  if (set_up && !busy) return At(State::kSetup);
  return Illegal("The pipe cannot be resynced now");
}

// Their loads begin as a resync does.
Result<Lifecycle> AddTables(const Lifecycle& at, ReplicationMode mode) {
  if (mode == ReplicationMode::kSnapshot) {
    return Illegal("A pipe of replicationMode snapshot takes no more tables; create another");
  }
  auto next = Resync(at);
  const bool exchanging = at.resume == State::kResync;
  if (next && !exchanging && at.resume != State::kCompleted) return next;
  return Illegal(exchanging ? "Tables are being exchanged: start the pipe first"
                            : "Tables cannot be added now");
}

Result<Lifecycle> RemoveTables(const Lifecycle& at) {
  const bool set_up = IsWorking(at.resume) && at.resume != State::kProvisioning;
  if (at.state == State::kPaused || at.state == State::kFailed || at.state == State::kCompleted) {
    return at;
  }
  const bool may = set_up && at.state != State::kPausing && at.resume != State::kResync;
  if (may) return Lifecycle{.state = State::kModifying, .resume = at.resume};
  return Illegal("Tables cannot be removed now");
}

Result<Lifecycle> Milestone(const Lifecycle& at, Event event, ReplicationMode mode) {
  if (at.state == State::kPausing && event == Event::kSettled) {
    if (at.resume == State::kCompleted) return At(State::kCompleted);
    return Lifecycle{.state = State::kPaused, .resume = at.resume};
  }
  const bool pausing = at.state == State::kPausing;
  if (event == Event::kFailed && (IsWorking(at.state) || pausing)) {
    return Lifecycle{.state = State::kFailed, .resume = at.resume};
  }
  const bool modifying = at.state == State::kModifying;
  if (modifying && event == Event::kModified) return At(at.resume);
  const auto next = modifying ? std::optional<State>() : AfterMilestone(at.resume, event, mode);
  if (next && pausing) return Lifecycle{.state = State::kPausing, .resume = *next};
  if (next && IsWorking(at.state)) return At(*next);
  return Fail(ErrorCode::kInternal, "{} cannot happen in {}", EventName(event),
              StateName(at.state));
}

Result<Lifecycle> Step(const Lifecycle& at, Event event, ReplicationMode mode) {
  switch (event) {
    case Event::kStart:
      return Start(at);
    case Event::kStop:
      return Stop(at);
    case Event::kResync:
      return Resync(at);
    case Event::kAddTables:
      return AddTables(at, mode);
    case Event::kRemoveTables:
      return RemoveTables(at);
    default:
      return Milestone(at, event, mode);
  }
}

// A stop of what is stopped is no error, and nothing to offer.
std::string AllowedCommands(const Lifecycle& at, ReplicationMode mode) {
  std::string commands;
  for (const Event event : kAllEvents) {
    if (event > Event::kRemoveTables) break;
    const auto next = Step(at, event, mode);
    if (!next || (event == Event::kStop && *next == at)) continue;
    commands += std::string(EventName(event)) + ", ";
  }
  return commands + (at.state == State::kPausing ? "delete, and more when it is Paused" : "delete");
}

}  // namespace

bool IsWorking(State state) {
  return state == State::kProvisioning || state == State::kSetup || state == State::kSnapshot ||
         state == State::kModifying || state == State::kResync || state == State::kRunning ||
         state == State::kDegraded;
}

std::string_view StateName(State state) {
  static constexpr std::array<std::string_view, kAllStates.size()> kNames = {
      "Provisioning", "Setup",  "Snapshot",  "Running",  "Pausing", "Paused",
      "Modifying",    "Resync", "Completed", "Degraded", "Failed"};
  return kNames[static_cast<size_t>(state)];
}

std::optional<State> ParseState(std::string_view name) {
  const auto found = std::find_if(kAllStates.begin(), kAllStates.end(),
                                  [name](State state) { return StateName(state) == name; });
  if (found == kAllStates.end()) return std::nullopt;
  return *found;
}

std::string_view EventName(Event event) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"start", "stop", "resync", "add tables", "remove tables", "provisioned", "set up",
       "reload set up", "loaded", "loaded aside", "swapped", "modified", "degraded", "recovered",
       "resync due", "settled", "failed"});
  static_assert(kNames.size() == kAllEvents.size());
  return kNames[static_cast<size_t>(event)];
}

Result<Lifecycle> Next(const Lifecycle& at, Event event, ReplicationMode mode) {
  auto next = Step(at, event, mode);
  if (next || next.error().code != ErrorCode::kConflict) return next;
  return Fail(ErrorCode::kConflict, "{}: the state is {}; allowed now: {}", next.error().message,
              StateName(at.state), AllowedCommands(at, mode));
}

}  // namespace penstock::pipe
