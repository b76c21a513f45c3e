#include "obs/metrics_doc.h"

#include <fmt/format.h>

#include <string_view>

#include "obs/metrics.h"

namespace penstock {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Metrics

<!-- Made from the code by PENSTOCK_WRITE_DOCS=1 build/dev/obs_test --gtest_filter='MetricsDoc*' -->

`GET /metrics` answers in the text format of Prometheus. A scrape configuration, a Grafana dashboard and alert
rules are in [deploy/](../deploy/). A server that is scraped by name, not by IP address, needs that name
among its `allowedHosts`.

- `pipe` is the name of a pipe and `id` its id: names may change, and that of a deleted pipe may be another's by now.
  Metrics of a deleted pipe are not in the next answer.
- No label holds a table, a position or the text of an error, so that the number of series is bounded: some 70 for a
  pipe. Tables are told apart in the API (`.../status`) and by `penstock tables NAME`.
- Counters begin at 0 when the process starts, but for
  `penstock_pipe_values_changed_total`, which is kept in the catalog and begins anew with a resync.
- `phase` is `snapshot` or `stream`; `part` is what of the pipe met an error: `catalog`, `setup`, `snapshot`, `resync`,
  `log`, `inserts`, `rereads`, the last three of a retry of quarantined tables as `retry`, `retry inserts`, `retry rereads`, or `pipe`
  for what made it Failed; `kind` is the reaction that the error asks for: `retry`, `unknown_outcome`, `needs_user`, `bad_data`, `invalid_argument`, `not_found`, `conflict`,
  `exhausted`, `cancelled`, `internal`.

There is a sample *always*; once a pipe is *set up*; while it is *following* the log, as far as its
source tells; or after the first *event*.

| name | type | labels | there | what it tells |
|---|---|---|---|---|
)";

constexpr std::string_view TypeName(MetricType type) {
  if (type == MetricType::kHistogram) return "histogram";
  return type == MetricType::kCounter ? "counter" : "gauge";
}

constexpr std::string_view PresenceName(Presence presence) {
  switch (presence) {
    case Presence::kAlways:
      return "always";
    case Presence::kSetUp:
      return "set up";
    case Presence::kFollowing:
      return "following";
    case Presence::kEvent:
      break;
  }
  return "event";
}

}  // namespace

std::string MetricsDocument() {
  std::string text(kIntroduction);
  for (const MetricSpec& spec : kMetrics) {
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", spec.name, TypeName(spec.type),
                        spec.labels, PresenceName(spec.presence), spec.help);
  }
  return text;
}

}  // namespace penstock
