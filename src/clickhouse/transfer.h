#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/upload.h"

namespace penstock::clickhouse {

struct HttpRequest {
  std::string target;                 // path and query, from "/"
  Upload* body = nullptr;             // null: GET; else POST
  std::string content_encoding = {};  // empty: none
  // Once the whole body is sent, a reply that does not come is kUnknownOutcome instead of kRetry.
  bool is_write = false;
};

struct HttpReply {
  long status = 0;
  bool headers_ended = false;    // libcurl takes a connection that ends before for a whole reply
  bool from_clickhouse = false;  // it has a header that only ClickHouse sends
  int exception_code = 0;        // X-ClickHouse-Exception-Code, which may come with status 200
  std::string exception_tag;     // X-ClickHouse-Exception-Tag: marks an exception within the body
  bool body_sent = false;        // the whole request body had been sent
  std::string body;
};

// One keep-alive HTTP/1.1 connection to an endpoint: the only place that knows libcurl. One thread
// at a time.
//
// A request is never sent twice: libcurl's own repeat on a connection that died while idle is
// stopped once a byte of the body has been sent.
class Transfer {
 public:
  explicit Transfer(Endpoint endpoint);
  ~Transfer();

  const Endpoint& endpoint() const;

  // The reply, whatever its status. Fails as Client describes, within milliseconds of a stop.
  Result<HttpReply> Perform(const HttpRequest& request, std::stop_token stop);

 private:
  struct Handles;
  struct Exchange;

  Status SetUp(const HttpRequest& request, Exchange& exchange);
  void SetUpTls();
  Status Drive(Exchange& exchange, std::stop_token stop);

  const Endpoint endpoint_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace penstock::clickhouse
