// docs/states.md is what the state function answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "pipe/state.h"

namespace penstock::pipe {
namespace {

constexpr char kFile[] = PENSTOCK_TESTDATA "/../../docs/states.md";

constexpr char kHead[] =
    "# The states of a pipe\n"
    "\n"
    "Written by the code: every step that the state function (`src/pipe/state.h`, with the "
    "picture) "
    "allows. Commands of the\n"
    "user are in bold; whatever is not here is refused, with the state and what it allows. A state "
    "in brackets is where\n"
    "a start leads, or the end of Modifying. Each change of state is in the catalog before it "
    "takes "
    "effect, and a pipe\n"
    "goes on from there after a crash.\n"
    "\n"
    "| from | on | to | replicationMode |\n"
    "|---|---|---|---|\n";

std::string Text(const Lifecycle& at) {
  const std::string state(StateName(at.state));
  return at.state == at.resume ? state : fmt::format("{} ({})", state, StateName(at.resume));
}

// Whether a pipe that was created can be there.
std::vector<Lifecycle> Reachable(ReplicationMode mode) {
  std::vector<Lifecycle> found = {Lifecycle{}};
  for (size_t i = 0; i < found.size(); ++i) {
    for (const Event event : kAllEvents) {
      const auto next = Next(found[i], event, mode);
      if (next && std::ranges::count(found, *next) == 0) found.push_back(*next);
    }
  }
  return found;
}

std::string Document() {
  constexpr std::array<std::pair<ReplicationMode, std::string_view>, 3> kModes = {
      {{ReplicationMode::kCdc, "cdc"},
       {ReplicationMode::kCdcOnly, "cdc_only"},
       {ReplicationMode::kSnapshot, "snapshot"}}};
  std::map<std::pair<State, State>, std::map<std::tuple<Event, std::string>, std::string>> steps;
  for (const auto& [mode, name] : kModes) {
    for (const Lifecycle& at : Reachable(mode)) {
      for (const Event event : kAllEvents) {
        const auto next = Next(at, event, mode);
        if (!next || *next == at) continue;
        std::string& modes = steps[{at.state, at.resume}][{event, Text(*next)}];
        modes += (modes.empty() ? "" : ", ") + std::string(name);
      }
    }
  }
  std::string text = kHead;
  for (const auto& [at, nexts] : steps) {
    for (const auto& [step, modes] : nexts) {
      const auto& [event, next] = step;
      const std::string_view mark = event <= Event::kRemoveTables ? "**" : "";
      text += fmt::format("| {} | {}{}{} | {} | {} |\n", Text({at.first, at.second}), mark,
                          EventName(event), mark, next,
                          modes == "cdc, cdc_only, snapshot" ? "any" : modes);
    }
  }
  return text;
}

// With PENSTOCK_WRITE_DOCS set, writes the document first.
TEST(StateDocTest, TheDocumentIsTheFunctionsOwn) {
  if (std::getenv("PENSTOCK_WRITE_DOCS") != nullptr) std::ofstream(kFile) << Document();
  std::stringstream text;
  text << std::ifstream(kFile).rdbuf();
  EXPECT_EQ(text.str(), Document())
      << "run: PENSTOCK_WRITE_DOCS=1 build/dev/pipe_test --gtest_filter='StateDoc*'";
}

}  // namespace
}  // namespace penstock::pipe
