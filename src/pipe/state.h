#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"

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
inline constexpr std::array kAllStates = {
    State::kProvisioning, State::kSetup,     State::kSnapshot, State::kRunning,
    State::kPausing,      State::kPaused,    State::kModifying, State::kResync,
    State::kCompleted,    State::kDegraded,  State::kFailed};

std::string_view StateName(State state);
std::optional<State> ParseState(std::string_view name);

}  // namespace penstock::pipe
