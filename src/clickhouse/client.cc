#include "clickhouse/client.h"

#include <algorithm>

#include "clickhouse/errors.h"
#include "clickhouse/transfer.h"
#include "clickhouse/upload.h"

namespace penstock::clickhouse {
namespace {

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != kPlain.npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string TargetOf(const Settings& settings) {
  std::string target = "/";
  for (const auto& [name, value] : settings) {
    target += target.size() == 1 ? '?' : '&';
    target += PercentEncoded(name) + "=" + PercentEncoded(value);
  }
  return target;
}

// An exception after a part of the answer was sent, which the status and the headers could not
// tell:
//   ... \r\n__exception__\r\n<tag>\r\n<text>\r\n<length> <tag>\r\n__exception__\r\n
// The tag is random, so an answer's own bytes cannot look like it. Empty: there is none.
std::string_view ExceptionInBody(const HttpReply& reply) {
  if (reply.exception_tag.empty()) return {};
  const std::string open = "__exception__\r\n" + reply.exception_tag + "\r\n";
  const size_t at = reply.body.rfind(open);
  if (at == std::string::npos) return {};
  return std::string_view(reply.body).substr(at + open.size());
}

Status Interpret(const HttpReply& reply, const HttpRequest& request) {
  if (const std::string_view text = ExceptionInBody(reply); !text.empty()) {
    return Fail(ExceptionError(ExceptionCodeOf(text), text));
  }
  int code = reply.exception_code;
  if (code == 0 && reply.status != 200) code = ExceptionCodeOf(reply.body);
  if (code != 0) return Fail(ExceptionError(code, reply.body));
  if (reply.status != 200) {
    Error error = HttpStatusError(reply.status, reply.body);
    // A gateway that lost its server cannot know what became of the insert.
    if (error.code == ErrorCode::kRetry && request.is_write && reply.body_sent) {
      error.code = ErrorCode::kUnknownOutcome;
    }
    return Fail(std::move(error));
  }
  if (!reply.from_clickhouse) {
    // A proxy's own page, perhaps while ClickHouse is away.
    return Fail({.code = ErrorCode::kRetry,
                 .message = "the server that answers is not ClickHouse",
                 .origin = "destination",
                 .native_code = 0,
                 .remedy = "Check that the destination's url is the HTTP interface of ClickHouse"});
  }
  return {};
}

// The cell's text without the escapes of TabSeparated.
std::string Unescaped(std::string_view cell) {
  if (cell == "\\N") return "";
  std::string text;
  text.reserve(cell.size());
  for (size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] != '\\' || i + 1 == cell.size()) {
      text += cell[i];
      continue;
    }
    constexpr std::string_view kLetters = "bfrnt0";
    constexpr std::string_view kMeanings("\b\f\r\n\t\0", 6);
    const size_t known = kLetters.find(cell[++i]);
    text += known == kLetters.npos ? cell[i] : kMeanings[known];
  }
  return text;
}

std::vector<std::string> Cells(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const size_t tab = line.find('\t');
    cells.push_back(Unescaped(line.substr(0, tab)));
    if (tab == line.npos) return cells;
    line.remove_prefix(tab + 1);
  }
}

// The statement leads the body instead of standing in the URL, which proxies limit to some 8 KiB.
std::string InsertStatement(const Block& block, const InsertOptions& options) {
  std::string sql = "INSERT INTO " + QuoteTable(options.database, options.table) + " (";
  for (size_t i = 0; i < block.columns.size(); ++i) {
    if (i != 0) sql += ", ";
    sql += QuoteIdentifier(block.columns[i].name);
  }
  return sql + ") FORMAT Native\n";
}

// The server begins the statement when it has as many bytes as it may be long: with no more than it
// is, an insert that gets stuck on its way can be found among those that run, and ended.
Settings InsertParameters(const InsertOptions& options, size_t statement_bytes) {
  Settings parameters = InsertSettings();
  parameters.emplace_back("max_query_size", std::to_string(statement_bytes));
  if (!options.query_id.empty()) parameters.emplace_back("query_id", options.query_id);
  if (!options.deduplication_token.empty()) {
    parameters.emplace_back("insert_deduplication_token", options.deduplication_token);
  }
  if (!options.session.empty()) {
    parameters.emplace_back("session_id", options.session);
    parameters.emplace_back("session_timeout", "1");
  }
  parameters.insert(parameters.end(), options.settings.begin(), options.settings.end());
  return parameters;
}

}  // namespace

const Settings& InsertSettings() {
  static const Settings settings = {
      // Else the server gathers inserts and may answer before they are written.
      {"async_insert", "0"},
      // Else a column that the table does not have is dropped in silence.
      {"input_format_skip_unknown_fields", "0"},
      // Else a column whose type was narrowed by hand takes wrapped values in silence: 300 as 44 in
      // an Int8 (date_time_overflow_behavior does not reach this conversion). String for
      // LowCardinality(String) needs no conversion.
      {"input_format_native_allow_types_conversion", "0"},
      // Else NULL for a column that is not Nullable turns into the default.
      {"input_format_null_as_default", "0"},
      // A repeated insert with the same token is dropped, where the table keeps a window of them.
      {"insert_deduplicate", "1"},
      // A batch may touch any number of partitions of a table that a user partitioned.
      {"max_partitions_per_insert_block", "0"},
      // For a Distributed target: acknowledged means written by the shards.
      {"insert_distributed_sync", "1"},
      // The status tells the outcome, once everything (views too) is done.
      {"wait_end_of_query", "1"},
  };
  return settings;
}

class Client::Impl {
 public:
  explicit Impl(Endpoint endpoint)
      : compression(endpoint.compression.value_or(CompressionTo(endpoint.url))),
        cluster(endpoint.cluster),
        log_comment(endpoint.log_comment),
        transfer_(std::move(endpoint)) {}

  const Compression compression;
  const std::string cluster;
  const std::string log_comment;

  std::string TargetOf(Settings parameters) const {
    if (!log_comment.empty()) parameters.emplace_back("log_comment", log_comment);
    return clickhouse::TargetOf(parameters);
  }

  // Any health check of a proxy may answer 200: only the server's own word counts.
  Status Ping(std::stop_token stop) {
    PENSTOCK_ASSIGN(HttpReply reply, transfer_.Perform({.target = "/ping"}, stop));
    reply.from_clickhouse = reply.body == "Ok.\n";
    return Interpret(reply, {});
  }

  Result<std::string> Perform(const HttpRequest& request, std::stop_token stop) {
    PENSTOCK_ASSIGN(HttpReply reply, transfer_.Perform(request, stop));
    PENSTOCK_TRY(Interpret(reply, request));
    return std::move(reply.body);
  }

 private:
  Transfer transfer_;
};

Client::Client(Endpoint endpoint) : impl_(std::make_unique<Impl>(std::move(endpoint))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const std::string& Client::cluster() const { return impl_->cluster; }
const std::string& Client::log_comment() const { return impl_->log_comment; }

Status Client::Ping(std::stop_token stop) { return impl_->Ping(stop); }

Result<std::string> Client::Query(std::string_view sql, const Settings& settings,
                                  std::stop_token stop) {
  // Progress moves bytes while a long statement runs, so that it does not look idle. Seldom: each
  // is a header, and libcurl takes some 300 KB of them.
  Settings parameters = {{"wait_end_of_query", "1"},
                         {"send_progress_in_http_headers", "1"},
                         {"http_headers_progress_interval_ms", "15000"}};
  parameters.insert(parameters.end(), settings.begin(), settings.end());
  const auto body = MakeUpload({sql}, Compression::kNone);
  return impl_->Perform({.target = impl_->TargetOf(std::move(parameters)), .body = body.get()},
                        stop);
}

Result<std::vector<std::vector<std::string>>> Client::Rows(std::string_view sql,
                                                           std::stop_token stop) {
  PENSTOCK_ASSIGN(const std::string body,
                  Query(fmt::format("{} FORMAT TabSeparated", sql), {}, stop));
  std::vector<std::vector<std::string>> rows;
  std::string_view rest = body;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    rows.push_back(Cells(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return rows;
}

Status Client::Insert(const Block& block, const InsertOptions& options, std::stop_token stop) {
  return InsertAll(block, {}, options, std::move(stop));
}

Status Client::InsertAll(const Block& first, const NextBlock& next, const InsertOptions& options,
                         std::stop_token stop) {
  if (first.rows == 0) return {};
  const std::string statement = InsertStatement(first, options);
  std::string headers;
  Pieces pieces = NativePieces(first, headers);
  pieces.insert(pieces.begin(), statement);
  std::optional<Error> next_error;
  MorePieces more;
  if (next) {
    more = [&]() -> Result<Pieces> {
      const Result<const Block*> block = next();
      if (!block) {
        next_error = block.error();
        return Fail(*next_error);
      }
      return *block == nullptr ? Pieces() : NativePieces(**block, headers);
    };
  }
  const auto body = MakeUpload(std::move(pieces), impl_->compression, std::move(more));
  return impl_
      ->Perform({.target = impl_->TargetOf(InsertParameters(options, statement.size())),
                 .body = body.get(),
                 .content_encoding = std::string(ContentEncoding(impl_->compression)),
                 .is_write = true},
                stop)
      .map([](const std::string&) {})
      .map_error([&](const Error& error) {
        if (next_error) return *next_error;
        if (error.code == ErrorCode::kCancelled) return error;
        return error.In(fmt::format("insert into {}.{}", options.database, options.table));
      });
}

}  // namespace penstock::clickhouse
