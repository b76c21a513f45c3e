#include <algorithm>
#include <charconv>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// "26.7.2.1" is 2607.
uint32_t MajorMinor(std::string_view version) {
  uint32_t major = 0;
  uint32_t minor = 0;
  const char* const end = version.data() + version.size();
  const auto parsed = std::from_chars(version.data(), end, major);
  if (parsed.ptr == end || *parsed.ptr != '.') return 0;
  std::from_chars(parsed.ptr + 1, end, minor);
  return std::min(major, 9'999U) * 100 + std::min(minor, 99U);
}

}  // namespace

// Opens the client that the other checks of the destination use, and asks for the version: a ping
// is answered without a password.
void CheckDestinationConnection(CheckContext& context, std::vector<Finding>& findings) {
  const clickhouse::Endpoint& endpoint = context.destination_endpoint;
  if (endpoint.url.empty()) {
    return AddError(findings, "the pipe names no ClickHouse, and the server has no default one",
                    "Add destination.clickhouse to the pipe, or start penstock with a destination");
  }
  clickhouse::Client client(endpoint);
  const auto rows = client.Rows("SELECT version(), currentUser()", context.stop);
  if (!rows) return AddError(findings, rows.error());
  const std::string version = rows->empty() ? "" : rows->front().at(0);
  context.destination_user =
      clickhouse::QuoteIdentifier(rows->empty() ? endpoint.user : rows->front().at(1));
  context.destination_version = MajorMinor(version);
  context.destination = std::move(client);
  AddOk(findings, fmt::format("connected to ClickHouse {} at {} as {}", version, endpoint.url,
                              endpoint.user));
}

}  // namespace penstock::pipe
