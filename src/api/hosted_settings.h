#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace penstock::api {

// Settings of the hosted service that clients set and read back, and that change nothing here:
// those of other kinds of pipe, and the size of machines. Checked as the API says.

// ClickPipeSettings, without those that are null.
Result<nlohmann::json> ParsePipeSettings(const nlohmann::json& body);

nlohmann::json CdcScalingAtFirst();
// ClickPipesCdcScaling with the change in it; `stored`: as it was.
Result<nlohmann::json> ParseCdcScaling(const nlohmann::json& body, const nlohmann::json& stored);

}  // namespace penstock::api
