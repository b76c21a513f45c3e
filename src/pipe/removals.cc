#include "pipe/removals.h"

#include <fmt/format.h>

#include <utility>

#include "pipe/whole_load.h"

namespace penstock::pipe {

std::string PlaceOf(const std::string& url, const std::string& embedded_url) {
  return !url.empty() && url == embedded_url ? kEmbedded : url;
}

bool IsAt(const catalog::RemovalRecord& removal, const PipeSpec& spec,
          const clickhouse::Endpoint& destination, const std::string& embedded_url) {
  if (removal.url.empty()) return !spec.clickhouse || spec.clickhouse->url == destination.url;
  return removal.url == PlaceOf(destination.url, embedded_url);
}

std::string WaitsFor(const std::string& place) {
  return "it waits for a process that has the destination " + place;
}

Result<std::set<std::string>> DoRemovals(const RemovalOptions& options, std::stop_token stop) {
  const PipeSpec& spec = options.spec;
  PENSTOCK_ASSIGN(const auto removals, options.catalog->Removals(options.pipe_id));
  std::vector<catalog::RemovalRecord> here;
  std::set<std::string> done;
  std::set<std::string> waiting;
  for (const auto& removal : removals) {
    const bool is_here = IsAt(removal, spec, options.destination, options.embedded_url);
    if (is_here) {
      here.push_back(removal);
    } else if (spec.clickhouse) {
      options.tell(
          fmt::format("what is left of the table {}.{} is to be dropped by hand: it is at {}",
                      spec.database, removal.target, removal.url));
    }
    (is_here || spec.clickhouse ? done : waiting).insert(removal.url);
  }
  if (!here.empty()) {
    PENSTOCK_ASSIGN(const auto kept, options.find_kept(here));
    PENSTOCK_ASSIGN(const auto stays,
                    DropRemoved(options.destination, spec.database, here, kept, std::move(stop)));
    for (const std::string& text : stays) options.tell(text);
  }
  for (const std::string& place : done) {
    PENSTOCK_TRY(options.catalog->EndRemovals(options.pipe_id, place));
  }
  return waiting;
}

}  // namespace penstock::pipe
