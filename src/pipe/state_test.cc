#include "pipe/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

namespace penstock::pipe {
namespace {

using testing::EndsWith;

// Every legal step from a lifecycle at rest, as the design's table has it. What is not here is
// illegal.
using Key = std::tuple<State, State, Event>;  // state, resume, event
using Steps = std::map<Key, Lifecycle>;

// And from where a pipe that was being paused has completed meanwhile.
void AddCompleted(Steps& legal) {
  constexpr State kDone = State::kCompleted;
  constexpr Lifecycle kSetup = {State::kSetup, State::kSetup};
  legal[{kDone, kDone, Event::kRemoveTables}] = {kDone, kDone};
  legal[{kDone, kDone, Event::kResync}] = kSetup;
  legal[{State::kPausing, kDone, Event::kSettled}] = {kDone, kDone};
  legal[{State::kPausing, kDone, Event::kStop}] = {State::kPausing, kDone};
  legal[{State::kPausing, kDone, Event::kFailed}] = {State::kFailed, kDone};
  for (const State rests : {State::kPaused, State::kFailed}) {
    legal[{rests, kDone, Event::kStart}] = {kDone, kDone};
    legal[{rests, kDone, Event::kStop}] = {State::kPaused, kDone};
    legal[{rests, kDone, Event::kResync}] = kSetup;
    legal[{rests, kDone, Event::kRemoveTables}] = {rests, kDone};
  }
}

Steps Legal(ReplicationMode mode) {
  Steps legal;
  const auto at = [](State state) { return Lifecycle{state, state}; };
  const State after_setup = mode == ReplicationMode::kCdcOnly ? State::kRunning : State::kSnapshot;
  const State after_load = mode == ReplicationMode::kSnapshot ? State::kCompleted : State::kRunning;
  std::multimap<State, std::pair<Event, State>> milestones = {
      {State::kProvisioning, {Event::kProvisioned, State::kSetup}},
      {State::kSetup, {Event::kSetUp, after_setup}},
      {State::kSetup, {Event::kReloadSetUp, State::kSnapshot}},
      {State::kSnapshot, {Event::kLoaded, after_load}},
      {State::kSnapshot, {Event::kLoadedAside, State::kResync}},
      {State::kResync, {Event::kSwapped, after_load}},
      {State::kRunning, {Event::kDegraded, State::kDegraded}},
      {State::kDegraded, {Event::kDegraded, State::kDegraded}},
      {State::kRunning, {Event::kRecovered, State::kRunning}},
      {State::kDegraded, {Event::kRecovered, State::kRunning}},
  };
  for (const State state : {State::kSnapshot, State::kRunning, State::kDegraded}) {
    milestones.insert({state, {Event::kResyncDue, State::kSetup}});
  }
  for (const State working : kAllStates) {
    if (!IsWorking(working) || working == State::kModifying) continue;
    legal[{working, working, Event::kStop}] = {State::kPausing, working};
    legal[{working, working, Event::kFailed}] = {State::kFailed, working};
    legal[{State::kPausing, working, Event::kStop}] = {State::kPausing, working};
    legal[{State::kPausing, working, Event::kSettled}] = {State::kPaused, working};
    legal[{State::kPausing, working, Event::kFailed}] = {State::kFailed, working};
    legal[{State::kPaused, working, Event::kStop}] = {State::kPaused, working};
    legal[{State::kPaused, working, Event::kStart}] = at(working);
    legal[{State::kFailed, working, Event::kStop}] = {State::kPaused, working};
    legal[{State::kFailed, working, Event::kStart}] = at(working);
    const auto [first, last] = milestones.equal_range(working);
    for (auto milestone = first; milestone != last; ++milestone) {
      const auto [event, next] = milestone->second;
      legal[{working, working, event}] = at(next);
      legal[{State::kPausing, working, event}] = {State::kPausing, next};
    }
    const bool set_up = working != State::kProvisioning;
    for (const State rests : {State::kPaused, State::kFailed}) {
      legal[{rests, working, Event::kRemoveTables}] = {rests, working};
    }
    if (!set_up) continue;
    if (working != State::kResync) {
      const Lifecycle modifying = {State::kModifying, working};
      legal[{working, working, Event::kRemoveTables}] = modifying;
      legal[{State::kModifying, working, Event::kRemoveTables}] = modifying;
      legal[{State::kModifying, working, Event::kModified}] = at(working);
      legal[{State::kModifying, working, Event::kStop}] = {State::kPausing, working};
      legal[{State::kModifying, working, Event::kFailed}] = {State::kFailed, working};
    }
    for (const Event event : {Event::kResync, Event::kAddTables}) {
      const bool takes_more = mode != ReplicationMode::kSnapshot && working != State::kResync;
      if (event == Event::kAddTables && !takes_more) continue;
      if (working != State::kResync) legal[{working, working, event}] = at(State::kSetup);
      legal[{State::kPaused, working, event}] = at(State::kSetup);
      legal[{State::kFailed, working, event}] = at(State::kSetup);
    }
  }
  AddCompleted(legal);
  return legal;
}

bool HasResume(State state) {
  return state == State::kPausing || state == State::kPaused || state == State::kFailed ||
         state == State::kModifying;
}

TEST(StateTest, EveryStateAgainstEveryEvent) {
  for (const auto mode :
       {ReplicationMode::kCdc, ReplicationMode::kSnapshot, ReplicationMode::kCdcOnly}) {
    const auto legal = Legal(mode);
    for (const State state : kAllStates) {
      for (const State resume : kAllStates) {
        // Pausing, Paused and Failed keep a working state to go on with, or that all is done;
        // Modifying only a working one; others have themselves.
        if (resume == State::kModifying) continue;
        const bool never = resume == State::kProvisioning || resume == State::kResync;
        if (state == State::kModifying && never) continue;
        if (HasResume(state) ? (!IsWorking(resume) &&
                                !(state != State::kModifying && resume == State::kCompleted))
                             : resume != state) {
          continue;
        }
        for (const Event event : kAllEvents) {
          const auto next = Next({state, resume}, event, mode);
          const auto found = legal.find({state, resume, event});
          SCOPED_TRACE(fmt::format("{} (resume {}) on {}", StateName(state), StateName(resume),
                                   EventName(event)));
          ASSERT_EQ(next.has_value(), found != legal.end());
          if (next) {
            EXPECT_EQ(*next, found->second);
          } else {
            const bool command = event <= Event::kRemoveTables;
            EXPECT_EQ(next.error().code, command ? ErrorCode::kConflict : ErrorCode::kInternal);
            EXPECT_NE(next.error().message.find(StateName(state)), std::string::npos);
          }
        }
      }
    }
  }
}

TEST(StateTest, StartWhereItRunsSaysSo) {
  const auto next = Next({State::kRunning, State::kRunning}, Event::kStart, ReplicationMode::kCdc);
  ASSERT_FALSE(next);
  EXPECT_NE(next.error().message.find("ClickPipe is already running"), std::string::npos);
}

TEST(StateTest, ARefusalTellsWhatIsAllowed) {
  const auto refusal = [](State state, State resume, Event event, ReplicationMode mode) {
    return Next({state, resume}, event, mode).error().message;
  };
  constexpr auto kCdc = ReplicationMode::kCdc;
  EXPECT_THAT(refusal(State::kRunning, State::kRunning, Event::kStart, kCdc),
              EndsWith("allowed now: stop, resync, add tables, remove tables, delete"));
  EXPECT_THAT(refusal(State::kPaused, State::kProvisioning, Event::kResync, kCdc),
              EndsWith("the state is Paused; allowed now: start, remove tables, delete"));
  EXPECT_THAT(refusal(State::kPausing, State::kRunning, Event::kStart, kCdc),
              EndsWith("allowed now: delete, and more when it is Paused"));
  EXPECT_THAT(
      refusal(State::kCompleted, State::kCompleted, Event::kStart, ReplicationMode::kSnapshot),
      EndsWith("allowed now: resync, remove tables, delete"));
}

TEST(StateTest, NamesReadBack) {
  for (const State state : kAllStates) EXPECT_EQ(ParseState(StateName(state)), state);
  EXPECT_EQ(ParseState("running"), std::nullopt);
}

}  // namespace
}  // namespace penstock::pipe
