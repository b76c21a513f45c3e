#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "obs/traffic.h"
#include "pipe/attention.h"
#include "pipe/journal.h"
#include "pipe/state.h"
#include "snapshot/progress.h"

namespace penstock::pipe {

// What a table of a pipe may be: see TableStatus.
inline constexpr std::array<std::string_view, 5> kTableStates = {"waiting", "loading", "following",
                                                                 "loaded", "quarantined"};

// Of the errors that are counted: what made the pipe Failed. Other parts are those of retries.
inline constexpr std::string_view kWholePipe = "pipe";

// What is counted of one pipe, for metrics.
struct PipeFigures {
  std::string id;
  std::string name;
  State state = State::kProvisioning;
  UnixMicros state_since{};
  uint64_t retry_attempts = 0;  // in a row, of what is being retried now
  std::map<std::pair<std::string, ErrorCode>, uint64_t> errors;  // by part and kind
  std::shared_ptr<const Traffic> snapshot_traffic;
  std::shared_ptr<const Traffic> stream_traffic;
  std::array<bool, kAllConcerns.size()> attention = {};  // why it is Degraded
  bool set_up = false;                                   // what is below is known
  bool working = false;
  StreamProgress stream;
  snapshot::LoadFigures load;                             // of all tables
  std::array<uint64_t, kTableStates.size()> tables = {};  // by state
};

// Of the pipes of a process, and what they share.
struct Figures {
  std::vector<PipeFigures> pipes;
  struct Memory {
    std::string_view share;
    uint64_t bytes = 0;
    uint64_t used = 0;
  };
  std::vector<Memory> memory;
};

}  // namespace penstock::pipe
