#include "pipe/lost_transactions.h"

#include <algorithm>

namespace penstock::pipe {
namespace {

using model::Mechanism;
using model::Position;

bool HoldsLost(const Position& read, const Position& position, const Position& common) {
  if (position.mechanism == Mechanism::kMysqlGtid) {
    const auto lost = position.mysql.Without(common.mysql);
    return lost.Without(read.mysql) != lost;
  }
  return std::ranges::any_of(read.mariadb.gtids(), [&](const model::MariadbGtid& gtid) {
    const auto kept = common.mariadb.Of(gtid.domain);
    const bool moved = kept != position.mariadb.Of(gtid.domain);
    return moved && (!kept || gtid.sequence > kept->sequence);
  });
}

// What was read before the oldest record is not among the lost.
bool ReachesBack(const catalog::BatchRecord& oldest, const Position& position,
                 const Position& common) {
  return oldest.number == 1 || !HoldsLost(oldest.read, position, common);
}

}  // namespace

Position CommonPart(const Position& position, const Position& common) {
  Position part = common;
  part.mysql = position.mysql.Without(position.mysql.Without(common.mysql));
  part.mariadb = {};
  for (const auto& gtid : common.mariadb.gtids()) {
    const auto ours = position.mariadb.Of(gtid.domain);
    if (ours) part.mariadb.Set(ours->sequence < gtid.sequence ? *ours : gtid);
  }
  return part;
}

bool IsWithin(const Position& position, const Position& common) {
  return common.mysql.Contains(position.mysql) && common.mariadb.Covers(position.mariadb);
}

std::optional<std::set<int64_t>> TablesOfLost(const std::vector<catalog::BatchRecord>& batches,
                                              const Position& position, const Position& common) {
  if (IsWithin(position, common)) return std::set<int64_t>();
  if (batches.empty()) return std::nullopt;
  std::set<int64_t> tables;
  for (const auto& batch : batches) {
    if (!HoldsLost(batch.read, position, common)) continue;
    for (const auto& table : batch.changes) tables.insert(table.table_id);
  }
  if (!ReachesBack(batches.back(), position, common)) return std::nullopt;
  return tables;
}

}  // namespace penstock::pipe
