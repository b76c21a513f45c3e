#include "pipe/attention.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace penstock::pipe {
namespace {

constexpr size_t kNamesMax = 10;

std::string NamesIn(const std::vector<std::string>& names) {
  const size_t told = std::min(names.size(), kNamesMax);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(told), ", "));
  if (told < names.size()) text += fmt::format(" and {} more", names.size() - told);
  return text;
}

double Seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1e3; }

}  // namespace

std::string_view ConcernName(Concern concern) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"quarantine", "retrying", "log_retention", "slow_source", "slow_destination"});
  static_assert(kNames.size() == kAllConcerns.size());
  return kNames[static_cast<size_t>(concern)];
}

std::string ReasonOf(const std::vector<Attention>& attention) {
  std::string reason;
  for (const auto& one : attention) reason += (reason.empty() ? "" : "; ") + one.text;
  return reason;
}

std::vector<Attention> AttentionTo(const Observed& observed, const AttentionLimits& limits) {
  std::vector<Attention> result;
  if (!observed.quarantined.empty()) {
    const std::string names = NamesIn(observed.quarantined);
    result.push_back({Concern::kQuarantine, names, "quarantined: " + names});
  }
  for (const auto& [part, error, lasts] : observed.retries) {
    if (lasts < limits.retrying) continue;
    result.push_back({Concern::kRetrying, part,
                      fmt::format("{}: failing for over {} s, and tried again: {}", part,
                                  limits.retrying.count(), error)});
  }
  const auto& left = observed.log_left;
  if (observed.log_kept && left && *left * kRetentionLeftPart < *observed.log_kept) {
    result.push_back(
        {Concern::kLogRetention, "",
         fmt::format("log retention: of the {} s for which the source keeps its log less than a "
                     "quarter is left. Find out what holds the pipe up, or have the log kept for "
                     "longer (binlog_expire_logs_seconds, expire_logs_days)",
                     observed.log_kept->count())});
  }
  if (observed.source_answer && *observed.source_answer > limits.source_answer) {
    result.push_back({Concern::kSlowSource, "",
                      fmt::format("slow source: it takes longer than {:.1f} s to tell of its log. "
                                  "Look at its load, and at the network to it",
                                  Seconds(limits.source_answer))});
  }
  if (observed.batch > limits.batch && observed.batch_age < limits.batch_age) {
    result.push_back({Concern::kSlowDestination, "",
                      fmt::format("slow destination: it took longer than {:.1f} s to take in the "
                                  "last batch. Look at its load, its parts and merges, views on "
                                  "the targets, and the network to it",
                                  Seconds(limits.batch))});
  }
  return result;
}

}  // namespace penstock::pipe
