#pragma once

#include <string>

namespace penstock {

// docs/metrics.md, made of kMetrics.
std::string MetricsDocument();

}  // namespace penstock
