#include "pipe/target_owners.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "pipe/shards.h"

namespace penstock::pipe {

Targets TargetsOf(const std::vector<TableMapping>& tables) {
  Targets targets;
  for (const TableMapping& table : tables) targets.insert(table.target_table);
  return targets;
}

bool WasRefused(const catalog::TableRecord& table) {
  return table.ddl.empty() && !table.reload_wanted;
}

std::set<model::TableName> RefusedOf(const std::vector<catalog::TableRecord>& tables) {
  std::set<model::TableName> refused;
  for (const auto& table : tables) {
    if (WasRefused(table)) refused.insert(table.definition.name);
  }
  return refused;
}

bool MayHaveTarget(const catalog::TableRecord& table,
                   const std::vector<catalog::TableRecord>& all) {
  const auto has_it = [&](const catalog::TableRecord& other) {
    return !other.ddl.empty() && other.target == table.target;
  };
  return !table.ddl.empty() || (table.reload_wanted && std::ranges::none_of(all, has_it));
}

Result<Targets> ClaimsOf(catalog::Catalog& catalog, const std::string& pipe_id,
                         const PipeSpec& spec, const Targets& targets, ClaimKind kind) {
  const auto is_claim = [&](const catalog::TableRecord& table) {
    return kind == ClaimKind::kMade ? !table.ddl.empty() : !WasRefused(table);
  };
  Targets claims;
  for (const TableMapping& table : spec.tables) {
    if (targets.contains(table.target_table)) claims.insert(table.target_table);
  }
  if (!claims.empty()) {
    PENSTOCK_ASSIGN(const auto records, catalog.Tables(pipe_id));
    for (const auto& record : records) {
      if (!is_claim(record)) claims.erase(record.target);
    }
    for (const auto& record : records) {
      if (is_claim(record) && targets.contains(record.target)) claims.insert(record.target);
    }
  }
  return claims;
}

std::map<size_t, Error> FindRefused(const PipeSpec& spec,
                                    const std::vector<catalog::TableRecord>& records,
                                    const TakenTargets& taken) {
  constexpr char kRemedy[] =
      "Take the table out of the pipe (remove-table), and add it with a target of its own";
  std::map<std::string_view, size_t> owners;
  for (size_t i = 0; i < records.size(); ++i) {
    if (!records[i].ddl.empty()) owners.emplace(records[i].target, i);
  }
  std::map<size_t, Error> refused;
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    if (i < records.size() && (!records[i].ddl.empty() || WasRefused(records[i]))) continue;
    const std::string& target = spec.tables[i].target_table;
    Error error{.code = ErrorCode::kNeedsUser, .remedy = kRemedy};
    if (const auto other = taken.find(target); other != taken.end()) {
      error.message = other->second.message;
      const std::string& remedy = other->second.remedy;
      if (!remedy.empty()) error.remedy = remedy + "; then resync the table (penstock resync)";
    } else if (const auto [owner, is_free] = owners.emplace(target, i);
               !is_free && !CheckMayShare(spec.tables[owner->second], spec.tables[i])) {
      error.message = fmt::format("its target {} is that of {}", target,
                                  spec.tables[owner->second].source.ToString());
    } else {
      continue;
    }
    refused.emplace(i, std::move(error));
  }
  return refused;
}

}  // namespace penstock::pipe
