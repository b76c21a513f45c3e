#include "mysql/wire/replica_lag.h"

#include <algorithm>
#include <charconv>

namespace penstock::mysql {
namespace {

std::string_view StatusStatement(const ServerInfo& server) {
  if (server.flavour == Flavour::kMariadb) return "SHOW ALL SLAVES STATUS";
  return server.number >= 80'022 ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}

// Of the column whose name begins so; nullopt for NULL. (Seconds_Behind_Source was once
// Seconds_Behind_Master.)
std::optional<int64_t> Number(const NamedRows& status, const TextRow& row,
                              std::string_view name_begins) {
  const auto column = std::ranges::find_if(
      status.columns, [&](const std::string& name) { return name.starts_with(name_begins); });
  if (column == status.columns.end()) return std::nullopt;
  const auto& text = row[static_cast<size_t>(column - status.columns.begin())];
  int64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

}  // namespace

Result<std::optional<std::chrono::seconds>> ReplicaLag(Connection& connection,
                                                       std::stop_token stop) {
  PENSTOCK_ASSIGN(const NamedRows status,
                  connection.QueryNamed(StatusStatement(connection.server()), std::move(stop)));
  std::optional<std::chrono::seconds> lag;
  for (const TextRow& row : status.rows) {
    const auto behind = Number(status, row, "Seconds_Behind_");
    const int64_t delay = Number(status, row, "SQL_Delay").value_or(0);
    lag = std::max(lag.value_or(std::chrono::seconds(0)),
                   behind ? std::chrono::seconds(*behind - delay) : kReplicationStopped);
  }
  return lag;
}

}  // namespace penstock::mysql
