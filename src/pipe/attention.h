#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::pipe {

// What of a pipe that flows may need attention: why it is Degraded.
enum class Concern : uint8_t {
  kQuarantine,       // tables that are not followed
  kRetrying,         // what has failed for a while, and is tried again
  kLogRetention,     // the lag eats into the time for which the source keeps its log
  kSlowSource,       // it takes long to answer
  kSlowDestination,  // batches take long to be inserted
};
inline constexpr std::array kAllConcerns = {Concern::kQuarantine, Concern::kRetrying,
                                            Concern::kLogRetention, Concern::kSlowSource,
                                            Concern::kSlowDestination};
// As the API spells it: "quarantine", "retrying", "log_retention", "slow_source",
// "slow_destination".
std::string_view ConcernName(Concern concern);

// From where on something needs attention. docs/operations.md tells the values.
struct AttentionLimits {
  std::chrono::seconds retrying{60};
  std::chrono::milliseconds source_answer{2'000};
  std::chrono::milliseconds batch{10'000};
  // A batch that took longer counts for so long, should no other follow.
  std::chrono::seconds batch_age{60};
};

// The log's retention is short when less than this part of it is left.
inline constexpr int64_t kRetentionLeftPart = 4;

// What is seen of a pipe at one time.
struct Observed {
  struct Retry {
    std::string part;  // of the pipe
    std::string error;
    std::chrono::milliseconds lasts{};
  };
  std::vector<std::string> quarantined;  // tables
  std::vector<Retry> retries;
  std::optional<std::chrono::seconds> log_kept;
  std::optional<std::chrono::seconds> log_left;            // of that, beyond what the pipe has read
  std::optional<std::chrono::milliseconds> source_answer;  // lately it took so long at least
  std::chrono::milliseconds batch{};                       // the last one took so long
  std::chrono::milliseconds batch_age{};                   // and was so long ago
};

struct Attention {
  Concern concern = Concern::kQuarantine;
  std::string subject;  // what of the pipe; the same while it is the same trouble
  std::string text;     // one line with what to do

  bool is_same(const Attention& other) const {
    return concern == other.concern && subject == other.subject;
  }
};

// Of the transition.
std::string ReasonOf(const std::vector<Attention>& attention);

// In the order of the enum. Pure.
std::vector<Attention> AttentionTo(const Observed& observed, const AttentionLimits& limits);

}  // namespace penstock::pipe
