#include "pipe/checks/foreign_key_cascades.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// From here on MySQL's server does the cascades itself, and logs them.
constexpr uint32_t kMysqlLogsCascades = 90'600;
constexpr size_t kNamesPerQuery = 2'000;

std::string List(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ",") + mysql::QuoteString(name);
  }
  return list;
}

void AddCascade(const model::TableName& table, const std::string& key, const std::string& rules,
                std::vector<Finding>& findings) {
  AddWarning(findings,
             fmt::format("{}: foreign key {} has {}; rows that it changes are not in the log and "
                         "will differ in the target",
                         table.ToString(), key, rules),
             "Delete and update child rows by statements of the application, and take the foreign "
             "key away or make it anew with RESTRICT; from MySQL 9.6 on the server logs them",
             fmt::format("ALTER TABLE {} DROP FOREIGN KEY {};", QuotedName(table),
                         mysql::QuoteIdentifier(key)));
}

// MariaDB shows the rules to those alone who may do more than SELECT.
Status LookAtStatement(CheckContext& context, const model::TableName& table,
                       std::vector<Finding>& findings) {
  PENSTOCK_ASSIGN(const auto rows,
                  context.source->Query("SHOW CREATE TABLE " + QuotedName(table), context.stop));
  if (rows.empty() || rows[0].size() < 2) return {};
  for (const Cascade& cascade : CascadesOf(rows[0][1].value_or(""))) {
    AddCascade(table, cascade.key, cascade.rules, findings);
  }
  return {};
}

Status LookAt(CheckContext& context, const std::string& schema, std::span<const std::string> names,
              std::vector<Finding>& findings) {
  const std::string list = List(names);
  PENSTOCK_ASSIGN(
      const auto keys,
      context.source->Query(
          fmt::format("SELECT DISTINCT TABLE_NAME, CONSTRAINT_NAME FROM "
                      "information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA={} AND TABLE_NAME IN "
                      "({}) AND REFERENCED_TABLE_NAME IS NOT NULL",
                      mysql::QuoteString(schema), list),
          context.stop));
  if (keys.empty()) return {};
  PENSTOCK_ASSIGN(
      const auto rules,
      context.source->Query(
          fmt::format("SELECT TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE FROM "
                      "information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA={} AND "
                      "TABLE_NAME IN ({})",
                      mysql::QuoteString(schema), list),
          context.stop));
  std::set<mysql::TextRow> told;
  for (const mysql::TextRow& row : rules) {
    told.insert({row[0], row[1]});
    const bool changes = std::ranges::any_of(std::array{row[2], row[3]}, [](const auto& rule) {
      return rule == "CASCADE" || rule == "SET NULL";
    });
    if (!changes) continue;
    AddCascade({.schema = schema, .table = row[0].value_or("")}, row[1].value_or(""),
               fmt::format("ON DELETE {} ON UPDATE {}", row[2].value_or(""), row[3].value_or("")),
               findings);
  }
  std::set<std::string> untold;
  for (const mysql::TextRow& key : keys) {
    if (!told.contains(key)) untold.insert(key[0].value_or(""));
  }
  for (const std::string& table : untold) {
    PENSTOCK_TRY(LookAtStatement(context, {.schema = schema, .table = table}, findings));
  }
  return {};
}

}  // namespace

std::vector<Cascade> CascadesOf(std::string_view create) {
  constexpr std::string_view kBegin = "  CONSTRAINT `";
  std::vector<Cascade> cascades;
  while (!create.empty()) {
    const size_t end = std::min(create.find('\n'), create.size());
    std::string_view line = create.substr(0, end);
    create.remove_prefix(std::min(end + 1, create.size()));
    const size_t foreign = line.find("` FOREIGN KEY (");
    if (!line.starts_with(kBegin) || foreign == std::string_view::npos) continue;
    const std::string_view key = line.substr(kBegin.size(), foreign - kBegin.size());
    if (line.ends_with(',')) line.remove_suffix(1);
    const size_t rules = std::min(line.rfind(" ON DELETE "), line.rfind(" ON UPDATE "));
    if (rules == std::string_view::npos) continue;
    line.remove_prefix(rules + 1);
    const bool changes = line.find(" CASCADE") != std::string_view::npos ||
                         line.find(" SET NULL") != std::string_view::npos;
    if (changes) cascades.push_back({.key = std::string(key), .rules = std::string(line)});
  }
  return cascades;
}

// The storage engine changes child rows by itself, and most servers do not log that.
void CheckForeignKeyCascades(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const SourceFacts& facts = *context.facts;
  if (!facts.is_mariadb() && facts.server.number >= kMysqlLogsCascades) {
    return AddOk(findings, "this server logs the rows that foreign keys change");
  }
  std::map<std::string, std::vector<std::string>> tables;
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    tables[table.name.schema].push_back(table.name.table);
  });
  for (const auto& [schema, names] : tables) {
    for (std::span<const std::string> left(names); !left.empty();) {
      const auto chunk = left.first(std::min(left.size(), kNamesPerQuery));
      left = left.subspan(chunk.size());
      const Status looked = LookAt(context, schema, chunk, findings);
      if (!looked) return AddUnanswered(findings, "foreign keys", looked.error());
    }
  }
  AddOkIfNone(findings, before, "no foreign key changes rows of mapped tables by itself");
}

}  // namespace penstock::pipe
