#pragma once

#include "base/status.h"
#include "cli/serve_config.h"
#include "cli/signals.h"

namespace penstock::cli {

// Runs the server until a signal to stop; prints where it listens once it does. SIGHUP reads the
// configuration again: docs/configuration.md.
Status Serve(const ServeSources& sources, Signals& signals);

}  // namespace penstock::cli
