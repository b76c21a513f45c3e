#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "clickhouse/block.h"
#include "clickhouse/compression.h"
#include "clickhouse/quote.h"

namespace penstock::clickhouse {

// Where a ClickHouse is and how to speak to it. Holds the password: never log it whole.
struct Endpoint {
  std::string url = "http://127.0.0.1:8123";  // http or https, no user, no query
  std::string user = "default";
  std::string password = {};
  std::string ca_certificate = {};  // PEM; empty: the system's own
  bool skip_cert_verification = false;
  std::optional<Compression> compression = std::nullopt;  // of inserts; absent: CompressionTo(url)
  std::string cluster = {};  // on all of whose servers tables are made and dropped; empty: on this
  std::string log_comment = {};  // of every statement: see EndStatements; empty: none
  std::chrono::milliseconds connect_timeout{5'000};
  // A request with no byte moved for this long has failed.
  std::chrono::milliseconds idle_timeout{60'000};
};

using Settings = std::vector<std::pair<std::string, std::string>>;

// What every insert pins, so that the server's own defaults cannot change a value or hide a
// mistake. Held by a test.
const Settings& InsertSettings();

struct InsertOptions {
  std::string database;
  std::string table;
  std::string query_id = {};
  std::string deduplication_token = {};  // empty: none. Only ever for identical bytes.
  std::string session = {};              // empty: none. No two run in one at once; ends 1 s after
  Settings settings = {};                // beyond InsertSettings()
};

// The next block of an insert, of the same columns; null: the end. Called while the insert is open,
// when the block before has been taken: that one may be filled anew.
using NextBlock = std::function<Result<const Block*>()>;

// One keep-alive connection over libcurl; proxies of the environment are not used. One thread at a
// time. Every call ends when `stop` is
// requested (kCancelled). Errors: connection refused, timeouts and codes that pass by themselves
// are kRetry; a reply lost after an insert's last byte was sent is kUnknownOutcome; the rest as
// clickhouse/errors.h names each exception code. Origin is "destination".
class Client {
 public:
  explicit Client(Endpoint endpoint);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  const std::string& cluster() const;      // the endpoint's
  const std::string& log_comment() const;  // likewise

  // Whether the server answers at all; tells nothing of user and password.
  Status Ping(std::stop_token stop);

  // Runs a statement; returns the body. `settings` go into the URL beside query_id and other
  // parameters of the HTTP interface, so no secrets there. The answer is limited to 64 MiB
  // (kExhausted beyond). A lost reply is kRetry: what a statement that changes something has done
  // by then is for the caller to ask.
  Result<std::string> Query(std::string_view sql, const Settings& settings, std::stop_token stop);

  // Adds FORMAT TabSeparated to the query and splits the answer into cells, unescaped. NULL and ''
  // both become "".
  Result<std::vector<std::vector<std::string>>> Rows(std::string_view sql, std::stop_token stop);

  // INSERT INTO database.table (columns of the block) FORMAT Native, as one block.
  // The bytes are streamed from the block's own buffers. A block without rows sends nothing. After
  // kCancelled or an exception of the server a part of the rows may be there (other partitions,
  // views).
  Status Insert(const Block& block, const InsertOptions& options, std::stop_token stop);

  // Likewise one INSERT of `first` and the blocks that `next` gives: the memory of one block,
  // however large the insert, of which the server makes as few parts as its settings allow. An
  // error of `next` breaks the insert off and is the answer. The server (30 s by default) must not
  // wait long for a block.
  Status InsertAll(const Block& first, const NextBlock& next, const InsertOptions& options,
                   std::stop_token stop);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::clickhouse
