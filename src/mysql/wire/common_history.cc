#include "mysql/wire/common_history.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace penstock::mysql {
namespace {

using model::MariadbGtid;
using model::MariadbGtidPosition;

Result<std::string> Variable(Connection& connection, std::string_view name, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  connection.Query(fmt::format("SELECT @@global.{}", name), std::move(stop)));
  return rows.empty() ? std::string() : rows[0][0].value_or("");
}

// By domain and server.
Result<std::map<std::pair<uint32_t, uint32_t>, MariadbGtid>> ParseState(std::string_view state) {
  std::map<std::pair<uint32_t, uint32_t>, MariadbGtid> last;
  while (!state.empty()) {
    const size_t length = std::min(state.find(','), state.size());
    PENSTOCK_ASSIGN(const auto one, MariadbGtidPosition::Parse(state.substr(0, length)));
    for (const MariadbGtid& gtid : one.gtids()) last[{gtid.domain, gtid.server}] = gtid;
    state.remove_prefix(std::min(length + 1, state.size()));
  }
  return last;
}

}  // namespace

Result<std::optional<MariadbGtidPosition>> CommonMariadb(const MariadbGtidPosition& position,
                                                         std::string_view logged,
                                                         const MariadbGtidPosition& executed) {
  PENSTOCK_ASSIGN(const auto last, ParseState(logged));
  MariadbGtidPosition common;
  for (const MariadbGtid& gtid : position.gtids()) {
    const auto found = last.find({gtid.domain, gtid.server});
    if (found != last.end() && found->second.sequence < gtid.sequence) {
      common.Set(found->second);
      continue;
    }
    // A log that was begun anew, or a replica that does not log, names the server no more.
    const auto reached = executed.Of(gtid.domain);
    if (found == last.end() && (!reached || reached->sequence < gtid.sequence)) {
      if (reached) common.Set(*reached);
      continue;
    }
    common.Set(gtid);
  }
  if (common == position) return std::nullopt;
  return common;
}

bool PartsFromHistory(const model::Position& position, const model::Position& common) {
  if (position.mechanism == model::Mechanism::kMysqlGtid) {
    return common.mysql.KnowsServersOf(position.mysql);
  }
  return std::ranges::all_of(position.mariadb.gtids(), [&common](const MariadbGtid& gtid) {
    return common.mariadb.Of(gtid.domain).has_value();
  });
}

Result<std::optional<model::Position>> CommonHistory(Connection& connection,
                                                     const model::Position& position,
                                                     std::stop_token stop) {
  model::Position common = position;
  common.file.clear();
  common.offset = 0;
  common.file_mark = 0;
  common.server.clear();
  if (position.mechanism == model::Mechanism::kMysqlGtid) {
    PENSTOCK_ASSIGN(const std::string text, Variable(connection, "gtid_executed", stop));
    PENSTOCK_ASSIGN(const auto executed, model::MysqlGtidSet::Parse(text));
    const auto lacking = position.mysql.Without(executed);
    if (lacking.empty()) return std::nullopt;
    common.mysql = position.mysql.Without(lacking);
    return common;
  }
  PENSTOCK_ASSIGN(const std::string logged, Variable(connection, "gtid_binlog_state", stop));
  PENSTOCK_ASSIGN(const std::string text, Variable(connection, "gtid_current_pos", stop));
  PENSTOCK_ASSIGN(const std::string in_log, Variable(connection, "gtid_binlog_pos", stop));
  PENSTOCK_ASSIGN(auto executed, MariadbGtidPosition::Parse(text));
  PENSTOCK_ASSIGN(const auto end, MariadbGtidPosition::Parse(in_log));
  executed.Merge(end);
  PENSTOCK_ASSIGN(auto part, CommonMariadb(position.mariadb, logged, executed));
  if (!part) return std::nullopt;
  common.mariadb = *std::move(part);
  return common;
}

}  // namespace penstock::mysql
