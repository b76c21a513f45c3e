#pragma once

#include "api/http_server.h"
#include "pipe/figures.h"

namespace penstock::api {

// The answer to GET /metrics.
HttpResponse MetricsResponse(const pipe::Figures& figures);

}  // namespace penstock::api
