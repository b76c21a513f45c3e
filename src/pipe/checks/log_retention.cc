#include <charconv>

#include "mysql/wire/log_files.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// A pipe that is paused, or cannot reach a server, for longer than this loses its place.
constexpr std::chrono::seconds kEnough = std::chrono::hours(24);
constexpr std::string_view kThreeDays = "259200";
constexpr uint32_t kMysqlHasSeconds = 80'000;
constexpr uint32_t kMariadbHasSeconds = 100'601;

bool IsHosted(const CheckContext& context) {
  return context.facts->hosting == Hosting::kRds || context.facts->hosting == Hosting::kAurora;
}

Remedy HowToKeepLonger(const CheckContext& context) {
  const SourceFacts& facts = *context.facts;
  if (IsHosted(context)) {
    return {.text = "Run at the source as the master user",
            .statement = "CALL mysql.rds_set_configuration('binlog retention hours', 72);"};
  }
  const uint32_t since = facts.is_mariadb() ? kMariadbHasSeconds : kMysqlHasSeconds;
  if (facts.server.number < since) {
    return Change(context, {.name = "expire_logs_days", .value = "3"});
  }
  return Change(context, {.name = "binlog_expire_logs_seconds", .value = kThreeDays});
}

// RDS and Aurora remove files by a setting of their own: NULL is as soon as they can.
Result<std::optional<std::chrono::seconds>> HostedRetention(CheckContext& context) {
  PENSTOCK_ASSIGN(const auto rows,
                  context.source->Query("SELECT value FROM mysql.rds_configuration WHERE name = "
                                        "'binlog retention hours'",
                                        context.stop));
  int64_t hours = 0;
  if (!rows.empty() && rows[0][0]) {
    const std::string& text = *rows[0][0];
    std::from_chars(text.data(), text.data() + text.size(), hours);
  }
  return std::chrono::seconds(std::chrono::hours(hours));
}

Result<std::optional<std::chrono::seconds>> Retention(CheckContext& context) {
  if (IsHosted(context)) {
    auto kept = HostedRetention(context);
    if (kept || kept.error().code != ErrorCode::kNotFound) return kept;
  }
  return mysql::LogRetention(*context.source, context.stop);
}

}  // namespace

void CheckLogRetention(CheckContext& context, std::vector<Finding>& findings) {
  const auto kept = Retention(context);
  if (!kept) {
    return AddUnanswered(findings, "for how long the source keeps its log", kept.error(),
                         Grant(context, "SELECT ON mysql.rds_configuration"));
  }
  context.retention = *kept;
  if (!*kept) return AddOk(findings, "the source removes no files of its log by itself");
  const double seconds = static_cast<double>((*kept)->count());
  if (**kept >= kEnough) {
    return AddOk(findings, fmt::format("the source keeps its log for {}", DurationText(seconds)));
  }
  AddWarning(findings,
             fmt::format("the source {}: a pipe that is paused, or cannot reach a server, for "
                         "longer has to be resynced",
                         (*kept)->count() == 0
                             ? std::string("removes files of its log as soon as it can")
                             : fmt::format("keeps its log for {} only", DurationText(seconds))),
             HowToKeepLonger(context));
}

}  // namespace penstock::pipe
