#pragma once

#include <stop_token>

#include "base/status.h"
#include "cli/serve_options.h"

namespace penstock::cli {

// Runs the server until `stop`; prints where it listens once it does.
Status Serve(ServeOptions options, std::stop_token stop);

}  // namespace penstock::cli
