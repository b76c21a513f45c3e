#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace penstock::api {

// The size of the hosted service's machines, which clients set and read back, and which changes
// nothing here. Checked as the API says.

nlohmann::json CdcScalingAtFirst();
// ClickPipesCdcScaling with the change in it; `stored`: as it was.
Result<nlohmann::json> ParseCdcScaling(const nlohmann::json& body, const nlohmann::json& stored);

}  // namespace penstock::api
