#include "clickhouse/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "clickhouse/fake_server.h"

namespace penstock::clickhouse {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Connection = FakeServer::Connection;
using Request = FakeServer::Request;

Client ClientOf(const FakeServer& server, milliseconds idle_timeout = milliseconds(60'000)) {
  return Client(
      {.url = server.url(), .user = "bob", .password = "s3cret", .idle_timeout = idle_timeout});
}

Block SmallBlock() {
  Block block;
  block.rows = 2;
  block.columns.resize(1);
  block.columns[0].name = "i`d";
  block.columns[0].type = "Int32";
  block.columns[0].values.Append(int32_t{1});
  block.columns[0].values.Append(int32_t{2});
  return block;
}

// Larger than what sockets hold, so that an insert cannot be sent unless it is read.
Block LargeBlock() {
  Block block;
  block.rows = 64 << 20;
  block.columns.resize(1);
  block.columns[0].name = "n";
  block.columns[0].type = "UInt8";
  block.columns[0].values.AppendZeros(block.rows);
  return block;
}

const InsertOptions kTarget{.database = "d", .table = "t"};

ErrorCode InsertCode(Client& client, const Block& block, std::stop_token stop = {}) {
  const Status status = client.Insert(block, kTarget, stop);
  return status ? ErrorCode::kInternal : status.error().code;
}

ErrorCode QueryCode(Client& client) {
  const auto result = client.Query("SELECT 1", {}, {});
  return result ? ErrorCode::kInternal : result.error().code;
}

// What `call` sends; it is answered "1\n".
Request RequestOf(const std::function<void(Client&)>& call) {
  Request seen;
  {
    FakeServer server([&](Connection& connection) {
      seen = *connection.ReadRequest();
      connection.Reply(200, "1\n");
      connection.WaitUntilClosed();
    });
    Client client = ClientOf(server);
    call(client);
  }
  return seen;
}

TEST(ClientTest, SendsSecretsInHeadersAndSettingsInTheUrl) {
  const Request seen = RequestOf([](Client& client) {
    EXPECT_EQ(client.Query("SELECT 1", {{"max_threads", "1 & 2"}}, {}), "1\n");
  });
  EXPECT_EQ(seen.body, "SELECT 1");
  EXPECT_THAT(seen.head, StartsWith("POST /?wait_end_of_query=1&"));
  EXPECT_THAT(seen.head, HasSubstr("&max_threads=1%20%26%202 HTTP/1.1\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("\r\nX-ClickHouse-User: bob\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("\r\nX-ClickHouse-Key: s3cret\r\n"));
  EXPECT_THAT(seen.head.substr(0, seen.head.find('\r')), Not(HasSubstr("s3cret")));
  EXPECT_THAT(seen.head, Not(HasSubstr("Expect")));
}

TEST(ClientTest, ErrorsDoNotTellThePasswordOfAProxy) {
  for (const char* proxy :
       {"http://user:s3cr#et@proxy.invalid:3128", "ftp://user:s3cr#et@proxy:3128",
        "http://user:s3cr#et@proxy:port", "http://user:s3cr#et@nowhere.invalid"}) {
    ASSERT_EQ(::setenv("http_proxy", proxy, 1), 0);
    Client client({.url = "http://clickhouse.invalid:8123"});
    const auto answer = client.Query("SELECT 1", {}, {});
    ::unsetenv("http_proxy");
    ASSERT_FALSE(answer.has_value());
    EXPECT_THAT(answer.error().ToString(), Not(HasSubstr("s3cr"))) << proxy;
  }
}

TEST(ClientTest, InsertPinsItsSettingsAndStreamsTheBlock) {
  const InsertOptions options{.database = "d.1",
                              .table = "t",
                              .query_id = "q-1",
                              .deduplication_token = "a b",
                              .session = "s 1",
                              .settings = {{"max_threads", "1"}}};
  const Request seen = RequestOf(
      [&](Client& client) { EXPECT_TRUE(client.Insert(SmallBlock(), options, {}).has_value()); });
  EXPECT_EQ(seen.head.substr(0, seen.head.find('\r')),
            "POST /?async_insert=0"
            "&input_format_skip_unknown_fields=0"
            "&input_format_native_allow_types_conversion=0"
            "&input_format_null_as_default=0"
            "&insert_deduplicate=1"
            "&max_partitions_per_insert_block=0"
            "&insert_distributed_sync=1"
            "&wait_end_of_query=1"
            "&max_query_size=45"
            "&query_id=q-1"
            "&insert_deduplication_token=a%20b"
            "&session_id=s%201"
            "&session_timeout=1"
            "&max_threads=1 HTTP/1.1");
  EXPECT_EQ(seen.body,
            "INSERT INTO `d.1`.`t` (`i\\`d`) FORMAT Native\n"
            "\x01\x02\x03i`d\x05Int32\x01\0\0\0\x02\0\0\0"s);
  EXPECT_THAT(seen.head, HasSubstr("\r\nContent-Length: " + std::to_string(seen.body.size())));
}

TEST(ClientTest, CompressedInsertIsChunkedAndNamed) {
  Request seen;
  {
    FakeServer server([&](Connection& connection) {
      seen = *connection.ReadRequest();
      connection.Reply(200, "");
    });
    Client client({.url = server.url(), .compression = Compression::kZstd});
    EXPECT_TRUE(client.Insert(SmallBlock(), kTarget, {}).has_value());
  }
  EXPECT_THAT(seen.head, HasSubstr("\r\nContent-Encoding: zstd\r\n"));
  EXPECT_THAT(seen.body, StartsWith("\x28\xb5\x2f\xfd"));
}

TEST(ClientTest, BlocksFollowEachOtherInOneInsert) {
  const Request seen = RequestOf([](Client& client) {
    Block block = SmallBlock();
    int left = 2;
    const auto next = [&]() -> Result<const Block*> {
      block.columns[0].values.Clear();
      block.columns[0].values.Append(int32_t{left});
      block.rows = 1;
      return left-- == 0 ? nullptr : &block;
    };
    EXPECT_TRUE(client.InsertAll(block, next, kTarget, {}).has_value());
  });
  EXPECT_THAT(seen.head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(seen.body,
            "INSERT INTO `d`.`t` (`i\\`d`) FORMAT Native\n"
            "\x01\x02\x03i`d\x05Int32\x01\0\0\0\x02\0\0\0"
            "\x01\x01\x03i`d\x05Int32\x02\0\0\0"
            "\x01\x01\x03i`d\x05Int32\x01\0\0\0"s);
}

TEST(ClientTest, AnInsertThatIsBrokenOffHasNoEnd) {
  std::string sent;
  {
    FakeServer server([&](Connection& connection) {
      connection.ReadHead();
      sent = connection.ReadAll();
    });
    Client client = ClientOf(server);
    const auto next = []() -> Result<const Block*> {
      return Fail(ErrorCode::kBadData, "the source has no more");
    };
    const Status status = client.InsertAll(LargeBlock(), next, kTarget, {});
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_EQ(status.error().message, "the source has no more");
  }
  EXPECT_GT(sent.size(), 40U << 20);
  EXPECT_FALSE(sent.ends_with("\r\n0\r\n\r\n"));
}

TEST(ClientTest, EmptyBlockSendsNothing) {
  Client client({.url = "http://127.0.0.1:1"});
  EXPECT_TRUE(client.Insert(Block{}, kTarget, {}).has_value());
}

TEST(ClientTest, LostReplyToAnInsertIsUnknownAndNeverRepeated) {
  for (const bool kept_alive : {false, true}) {
    std::atomic<int> requests = 0;
    FakeServer server([&](Connection& connection) {
      if (kept_alive && requests == 0) {
        connection.ReadRequest();
        ++requests;
        connection.Reply(200, "");
      }
      if (connection.ReadRequest()) ++requests;
    });
    Client client = ClientOf(server);
    if (kept_alive) {
      ASSERT_TRUE(client.Insert(SmallBlock(), kTarget, {}).has_value());
    }
    EXPECT_EQ(InsertCode(client, SmallBlock()), ErrorCode::kUnknownOutcome);
    EXPECT_EQ(requests, kept_alive ? 2 : 1);
  }
}

TEST(ClientTest, LostReplyToAStatementIsRetryAndNeverRepeated) {
  std::atomic<int> requests = 0;
  FakeServer server([&](Connection& connection) {
    if (requests == 0) {
      connection.ReadRequest();
      ++requests;
      connection.Reply(200, "");
    }
    if (connection.ReadRequest()) ++requests;
  });
  Client client = ClientOf(server);
  ASSERT_TRUE(client.Query("SELECT 1", {}, {}).has_value());
  EXPECT_EQ(QueryCode(client), ErrorCode::kRetry);
  EXPECT_EQ(requests, 2);
}

TEST(ClientTest, ConnectionLostInTheMiddleOfAnInsertIsRetry) {
  FakeServer server([&](Connection& connection) {
    connection.ReadHead();
    connection.Reset();
  });
  Client client = ClientOf(server);
  EXPECT_EQ(InsertCode(client, LargeBlock()), ErrorCode::kRetry);
}

TEST(ClientTest, HalfAReplyIsNoReply) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Send(
        "HTTP/1.1 200 OK\r\nX-ClickHouse-Query-Id: q\r\nContent-Length: 100\r\n\r\nhalf");
  });
  Client client = ClientOf(server);
  EXPECT_EQ(InsertCode(client, SmallBlock()), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(QueryCode(client), ErrorCode::kRetry);
}

TEST(ClientTest, HalfAHeaderIsNoReply) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nX-ClickHouse-Query-Id: q\r\nContent-Le");
  });
  Client client = ClientOf(server);
  EXPECT_EQ(client.Rows("SELECT 1", {}).error().code, ErrorCode::kRetry);
  EXPECT_EQ(client.Insert(SmallBlock(), kTarget, {}).error().code, ErrorCode::kUnknownOutcome);
}

TEST(ClientTest, SlowReplyEndsAtTheIdleTimeout) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.WaitUntilClosed();
  });
  Client client = ClientOf(server, milliseconds(50));
  EXPECT_EQ(InsertCode(client, SmallBlock()), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(QueryCode(client), ErrorCode::kRetry);
}

TEST(ClientTest, StuckUploadEndsAtTheIdleTimeout) {
  std::stop_source done;
  FakeServer server([&](Connection& connection) {
    connection.ReadHead();
    Clock::Real().Wait(std::chrono::minutes(1), done.get_token());  // reads no more
  });
  Client client = ClientOf(server, milliseconds(50));
  EXPECT_EQ(InsertCode(client, LargeBlock()), ErrorCode::kRetry);
  done.request_stop();
}

TEST(ClientTest, WhatIsGivenUpIsSentNoFurther) {
  std::stop_source done;
  std::string end;
  {
    FakeServer server([&](Connection& connection) {
      connection.ReadHead();
      Clock::Real().Wait(std::chrono::minutes(1), done.get_token());  // the server hangs
      connection.WaitUntilClosed();
      end = strerror(errno);
    });
    Client client = ClientOf(server, milliseconds(50));
    EXPECT_EQ(InsertCode(client, LargeBlock()), ErrorCode::kRetry);
    done.request_stop();
  }
  EXPECT_EQ(end, strerror(ECONNRESET));  // and not what the system still had of it
}

TEST(ClientTest, StopEndsAWaitAtOnce) {
  std::stop_source stop;
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    stop.request_stop();
    connection.WaitUntilClosed();
  });
  Client client = ClientOf(server);
  const SteadyTime started = Clock::Real().Steady();
  EXPECT_EQ(InsertCode(client, SmallBlock(), stop.get_token()), ErrorCode::kCancelled);
  EXPECT_LT(Clock::Real().Steady() - started, milliseconds(500));
  // Requested before the call: nothing is sent.
  EXPECT_EQ(InsertCode(client, SmallBlock(), stop.get_token()), ErrorCode::kCancelled);
}

TEST(ClientTest, WorksAgainAfterACancelledCall) {
  std::stop_source stop;
  std::atomic<bool> first = true;
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    if (first.exchange(false)) {
      stop.request_stop();
    } else {
      connection.Reply(200, "fine");
    }
    connection.WaitUntilClosed();
  });
  Client client = ClientOf(server);
  EXPECT_EQ(InsertCode(client, SmallBlock(), stop.get_token()), ErrorCode::kCancelled);
  EXPECT_EQ(client.Query("SELECT 1", {}, {}), "fine");
}

TEST(ClientTest, AnswerIsLimited) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    const size_t size = (64 << 20) + 1;
    connection.Send(fmt::format(
        "HTTP/1.1 200 OK\r\nX-ClickHouse-Query-Id: q\r\nContent-Length: {}\r\n\r\n", size));
    connection.Send(std::string(size, 'x'));
  });
  Client client = ClientOf(server);
  EXPECT_EQ(QueryCode(client), ErrorCode::kExhausted);
}

Error ErrorOfReply(int status, std::string_view body, std::string_view headers) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Reply(status, body, headers);
    connection.WaitUntilClosed();
  });
  Client client = ClientOf(server);
  const Status result = client.Insert(SmallBlock(), kTarget, {});
  return result ? Error{} : result.error();
}

TEST(ClientTest, ExceptionComesFromTheHeader) {
  const std::string_view body =
      "Code: 241. DB::Exception: Memory limit exceeded. (X) (version 1)\n";
  for (const int status : {500, 200}) {  // 200: it came after progress was sent
    const Error error = ErrorOfReply(status, body, "x-clickhouse-exception-code: 241\r\n");
    EXPECT_EQ(error.code, ErrorCode::kRetry);
    EXPECT_EQ(error.native_code, 241);
    EXPECT_EQ(error.message, "insert into d.t: Memory limit exceeded. (X)");
  }
}

TEST(ClientTest, ExceptionWithinTheBodyIsFound) {
  const std::string_view body =
      "1\n\r\n__exception__\r\ndhsqifxt\r\nCode: 60. DB::Exception: No table. (U) (version 1)\n"
      "52 dhsqifxt\r\n__exception__\r\n";
  const Error error = ErrorOfReply(200, body, "X-ClickHouse-Exception-Tag: dhsqifxt\r\n");
  EXPECT_EQ(error.code, ErrorCode::kNeedsUser);
  EXPECT_EQ(error.native_code, 60);
}

TEST(ClientTest, OldServerNamesTheCodeInTheBodyOnly) {
  EXPECT_EQ(ErrorOfReply(404, "Code: 60. DB::Exception: No table", "").native_code, 60);
}

TEST(ClientTest, GatewayThatLostTheServerLeavesTheOutcomeUnknown) {
  EXPECT_EQ(ErrorOfReply(502, "<html>Bad Gateway", "").code, ErrorCode::kUnknownOutcome);
  EXPECT_EQ(ErrorOfReply(403, "<html>Forbidden", "").code, ErrorCode::kNeedsUser);
}

TEST(ClientTest, AnotherServersOkIsNoAcknowledgement) {
  FakeServer server([&](Connection& connection) {
    while (connection.ReadRequest()) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nWelcome");
    }
  });
  Client client = ClientOf(server);
  EXPECT_EQ(InsertCode(client, SmallBlock()), ErrorCode::kRetry);
  EXPECT_FALSE(client.Ping({}).has_value());
}

TEST(ClientTest, PingTakesTheServersWord) {
  FakeServer server([&](Connection& connection) {
    while (connection.ReadRequest()) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOk.\n");
    }
  });
  Client client = ClientOf(server);
  EXPECT_TRUE(client.Ping({}).has_value());
}

TEST(ClientTest, RowsAreSplitAndUnescaped) {
  FakeServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Reply(200, "a\\tb\t\\N\t\\\\N\n\t\\0\\n\\'\n");
    connection.WaitUntilClosed();
  });
  Client client = ClientOf(server);
  const auto rows = client.Rows("SELECT 1", {});
  ASSERT_TRUE(rows.has_value());
  EXPECT_THAT(*rows, ElementsAre(ElementsAre("a\tb", "", "\\N"), ElementsAre("", "\0\n'"s)));
}

TEST(ClientTest, RefusedConnectionIsRetry) {
  int port = 0;
  {
    port = FakeServer([](Connection&) {}).port();
  }
  Client client({.url = fmt::format("http://127.0.0.1:{}", port)});
  EXPECT_EQ(InsertCode(client, SmallBlock()), ErrorCode::kRetry);
}

TEST(ClientTest, SecretsInTheUrlAreRefusedAndNotRepeated) {
  for (const std::string url :
       {"http://bob:s3cret@h:8123", "http://h/?password=s3cret", "ftp://s3cret", "s3cret"}) {
    Client client({.url = url});
    const auto result = client.Query("SELECT 1", {}, {});
    ASSERT_FALSE(result.has_value()) << url;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << url;
    EXPECT_THAT(result.error().ToString(), Not(HasSubstr("s3cret")));
  }
}

TEST(ClientTest, PasswordCannotAddHeaders) {
  Client client({.url = "http://127.0.0.1:1", .password = "a\r\nX-Evil: 1"});
  EXPECT_EQ(QueryCode(client), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace penstock::clickhouse
