#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// Spelled in the API as here without the k.
enum class State : uint8_t {
  kProvisioning,
  kSetup,
  kSnapshot,
  kRunning,
  kPausing,
  kPaused,
  kModifying,
  kResync,
  kCompleted,
  kDegraded,
  kFailed,
};
inline constexpr std::array kAllStates = {State::kProvisioning, State::kSetup,   State::kSnapshot,
                                          State::kRunning,      State::kPausing, State::kPaused,
                                          State::kModifying,    State::kResync,  State::kCompleted,
                                          State::kDegraded,     State::kFailed};

// Provisioning, Setup, Snapshot, Modifying, Resync, Running, Degraded: there is work to do.
bool IsWorking(State state);

std::string_view StateName(State state);
std::optional<State> ParseState(std::string_view name);

// What may happen to a pipe: commands of its user, and milestones of its runner.
enum class Event : uint8_t {
  kStart,         // user: resume, or retry after a failure
  kStop,          // user: pause
  kResync,        // user
  kAddTables,     // user
  kRemoveTables,  // user
  kProvisioned,   // both servers answered
  kSetUp,         // definitions recorded, destination tables created
  kReloadSetUp,   // the same for tables that are to be loaded anew
  kLoaded,        // every partition of the snapshot is in
  kLoadedAside,   // likewise, of tables beside their targets
  kSwapped,       // they are in place
  kModified,      // nothing is left to do for tables that were removed
  kDegraded,      // a part of the pipe needs attention, the rest flows
  kRecovered,     // no part does any more
  kResyncDue,     // a table is to be resynced without its user's doing
  kSettled,       // pausing: inserts settled, position saved
  kFailed,        // an irrecoverable error
};
inline constexpr std::array kAllEvents = {
    Event::kStart,        Event::kStop,        Event::kResync,    Event::kAddTables,
    Event::kRemoveTables, Event::kProvisioned, Event::kSetUp,     Event::kReloadSetUp,
    Event::kLoaded,       Event::kLoadedAside, Event::kSwapped,   Event::kModified,
    Event::kDegraded,     Event::kRecovered,   Event::kResyncDue, Event::kSettled,
    Event::kFailed};

std::string_view EventName(Event event);

// Where a pipe is. `resume` is where kStart leads from Pausing, Paused and Failed, and where it
// goes after Modifying; it equals `state` everywhere else.
struct Lifecycle {
  State state = State::kProvisioning;
  State resume = State::kProvisioning;

  bool operator==(const Lifecycle&) const = default;
};

// The lifecycle, whole:
//
//   create ─► Provisioning ─► Setup ─► Snapshot ─► Running      (cdc)
//                               │         └──────► Completed    (snapshot)
//                               └────────────────► Running      (cdc_only)
//
//   Running ── something needs attention ──► Degraded ── nothing does any more ──► Running
//   Snapshot, Running, Degraded ── one that heals by a resync ──► Setup
//
//   Setup, Snapshot, Running, Degraded, Paused, Failed, Completed ── resync ──► Setup ─► Snapshot
//   ─► Resync ─► Running, Completed   (of a pipe that was set up once)
//
//   the same but Completed ── tables added ──► Setup ─► Snapshot (of these alone) ─► Running
//   any working state of a pipe that was set up ── tables removed ──► Modifying ─► where it was
//
//   any working state ── stop ──► Pausing ─► Paused ── start ──► where it was
//   any working state ── error ─► Failed ── start ──► where it was
//   Failed ── stop ──► Paused
//
// A milestone reached while Pausing moves `resume` on. Tables of a pipe that is Paused, Failed or
// Completed are removed without a change of state. Pipes of mode snapshot take no more tables.
// Pure. kConflict, with the state and what it allows, for a command that is illegal there;
// kInternal for a milestone that cannot happen there.
Result<Lifecycle> Next(const Lifecycle& at, Event event, ReplicationMode mode);

}  // namespace penstock::pipe
