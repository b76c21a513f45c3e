#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// "user@host" as an account name.
std::string QuotedAccount(std::string_view account) {
  const size_t at = account.rfind('@');
  if (at == std::string_view::npos) return mysql::QuoteString(account);
  return fmt::format("{}@{}", mysql::QuoteString(account.substr(0, at)),
                     mysql::QuoteString(account.substr(at + 1)));
}

Result<SourceFacts> ReadFacts(mysql::Connection& source, std::string_view type,
                              const std::stop_token& stop) {
  SourceFacts facts{.server = source.server(), .account = {}, .variables = {}};
  PENSTOCK_ASSIGN(const auto account, source.Query("SELECT CURRENT_USER()", stop));
  if (!account.empty()) facts.account = QuotedAccount(account[0][0].value_or(""));
  PENSTOCK_ASSIGN(const auto variables, source.Query("SHOW GLOBAL VARIABLES", stop));
  for (const mysql::TextRow& row : variables) {
    if (row.size() == 2 && row[0]) facts.variables[*row[0]] = row[1].value_or("");
  }
  facts.hosting = HostingOf({.type = type,
                             .version = facts.server.version,
                             .basedir = facts.variables["basedir"],
                             .is_aurora = facts.variables.contains("aurora_version")});
  return facts;
}

}  // namespace

// Opens the connection that the other checks of the source use, and reads its facts.
void CheckSourceConnection(CheckContext& context, std::vector<Finding>& findings) {
  const mysql::Endpoint& source = context.spec.source;
  Result<mysql::Connection> connection =
      mysql::Connection::Open(source, "penstock check", context.stop);
  if (!connection) return AddError(findings, connection.error());
  auto facts = ReadFacts(*connection, context.spec.source_type, context.stop);
  if (!facts) return AddError(findings, facts.error());
  const bool local = source.host.starts_with('/');
  AddOk(findings, fmt::format("connected to {}{} as {}", source.host,
                              local ? "" : fmt::format(" port {}", source.port), facts->account));
  context.source = std::move(*connection);
  context.facts = std::move(*facts);
}

}  // namespace penstock::pipe
