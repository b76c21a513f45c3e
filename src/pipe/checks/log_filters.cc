#include <fmt/ranges.h>

#include <set>

#include "mysql/wire/definitions.h"
#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// A database that is left out of the log has no changes in it: the pipe would wait for ever.
void CheckLogFilters(CheckContext& context, std::vector<Finding>& findings) {
  const auto filter = mysql::ReadLogFilter(*context.source, context.stop);
  if (!filter) {
    return AddUnanswered(findings, "which databases the source leaves out of its log",
                         filter.error(), Grant(context, "REPLICATION CLIENT ON *.*"));
  }
  const auto ignore_case = mysql::NamesIgnoreCase(*context.source, context.stop);
  if (!ignore_case) return AddError(findings, ignore_case.error());
  std::set<std::string> hidden;
  for (const TableMapping& mapping : context.spec.tables) {
    if (filter->Hides(mapping.source.schema, *ignore_case)) hidden.insert(mapping.source.schema);
  }
  if (hidden.empty()) return AddOk(findings, "no mapped database is left out of the log");
  AddError(findings,
           fmt::format("changes of {} are not in the log: binlog_do_db is ({}), binlog_ignore_db "
                       "is ({})",
                       fmt::join(hidden, ", "), fmt::join(filter->only, ", "),
                       fmt::join(filter->never, ", ")),
           filter->only.empty()
               ? fmt::format("Take binlog_ignore_db={} out of the server's configuration, and "
                             "restart the server",
                             fmt::join(hidden, " and binlog_ignore_db="))
               : fmt::format("Add binlog_do_db={} to the server's configuration, and restart the "
                             "server",
                             fmt::join(hidden, " and binlog_do_db=")));
}

}  // namespace penstock::pipe
