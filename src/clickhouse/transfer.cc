#include "clickhouse/transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"
#include "base/clock.h"
#include "base/http_proxy.h"

namespace penstock::clickhouse {
namespace {

constexpr size_t kReplyBytesMax = 64 << 20;
constexpr long kUploadBufferBytes = 512 << 10;
// Shorter than the keep-alive of ClickHouse (30 s; 10 s in old ones): a connection is not reused in
// the moment the server closes it.
constexpr long kIdleConnectionSecondsMax = 8;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

void ReadHeaderLine(std::string_view line, HttpReply& reply) {
  constexpr std::string_view kOwnPrefix = "X-ClickHouse-";
  if (line.starts_with("HTTP/")) reply = {};  // what follows an informational reply counts
  if (Trimmed(line).empty()) reply.headers_ended = true;
  const size_t colon = line.find(':');
  if (colon == line.npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (!EqualsIgnoringCase(name.substr(0, kOwnPrefix.size()), kOwnPrefix)) return;
  reply.from_clickhouse = true;
  if (EqualsIgnoringCase(name, "X-ClickHouse-Exception-Code")) {
    std::from_chars(value.data(), value.data() + value.size(), reply.exception_code);
  } else if (EqualsIgnoringCase(name, "X-ClickHouse-Exception-Tag")) {
    reply.exception_tag = value;
  }
}

// libcurl names the proxy as it was given, or what it takes for its host: with the password.
std::string_view WithoutProxy(std::string_view detail, CURLcode code, std::string_view url) {
  const std::string proxy = ProxyFor(url).url;
  const bool is_secret = proxy.find('@') != std::string::npos;
  const bool is_told = code == CURLE_COULDNT_RESOLVE_PROXY || detail.find(proxy) != detail.npos;
  return is_secret && is_told ? "" : detail;
}

// How each kind of failure of libcurl is to be met, with what may mend it.
Error Classify(CURLcode code, std::string_view detail) {
  using enum ErrorCode;
  Error error{.code = kRetry,
              .message = std::string(detail.empty() ? curl_easy_strerror(code) : detail),
              .origin = "destination",
              .native_code = 0,
              .remedy = ""};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
      error.remedy = "Check HTTP_PROXY and HTTPS_PROXY in the environment of penstock";
      break;
    case CURLE_COULDNT_RESOLVE_HOST:
      error.remedy = "Check the host name in the destination's url";
      break;
    case CURLE_COULDNT_CONNECT:
      error.remedy = "Check that ClickHouse is running and that its HTTP port can be reached";
      break;
    case CURLE_SSL_CONNECT_ERROR:
      error.remedy = "Check that the port in the destination's url speaks TLS (8443, not 8123)";
      break;
    case CURLE_URL_MALFORMAT:
      error.code = kInvalidArgument;
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      error.code = kNeedsUser;
      error.remedy =
          "Check that the destination's url is the HTTP interface of a ClickHouse server";
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      error.code = kNeedsUser;
      error.remedy =
          "Give caCertificate if the server's certificate is signed by a private authority, or use "
          "the host name that the certificate names";
      break;
    case CURLE_SSL_CACERT_BADFILE:
      error.code = kNeedsUser;
      error.remedy = "Check that caCertificate is a PEM text";
      break;
    case CURLE_OUT_OF_MEMORY:
      error.code = kExhausted;
      break;
    default:
      break;
  }
  return error;
}

Status CheckUrl(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  const auto has = [&](CURLUPart part) {
    char* text = nullptr;
    const bool there = curl_url_get(parsed.get(), part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
  };
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  if (!http || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return Fail(ErrorCode::kInvalidArgument,
                "the destination's url is not http://HOST[:PORT] or "
                "https://HOST[:PORT]");
  }
  // The URL may be logged, by us and on the way: so it is not even repeated here.
  if (has(CURLUPART_USER) || has(CURLUPART_PASSWORD) || has(CURLUPART_QUERY)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the destination's url must hold no user, password or parameters: user and "
                "password have fields of their own");
  }
  return {};
}

class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

Status AddCredentials(const Endpoint& endpoint, HeaderList& headers) {
  const auto printable = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
  if (!std::ranges::all_of(endpoint.user, printable) ||
      !std::ranges::all_of(endpoint.password, printable)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the destination's user or password holds a control character");
  }
  if (!endpoint.user.empty()) headers.Add("X-ClickHouse-User: " + endpoint.user);
  if (!endpoint.password.empty()) headers.Add("X-ClickHouse-Key: " + endpoint.password);
  return {};
}

// Closing a connection, of a process that dies too, drops what is not sent yet. Else the system
// would go on sending it, for minutes if need be: an insert that was given up would arrive when its
// outcome has long been asked for.
int DropUnsentOnClose(void*, curl_socket_t socket, curlsocktype) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  const int done = setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  return done == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

void InitializeCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  PENSTOCK_CHECK(code == CURLE_OK);
}

}  // namespace

struct Transfer::Handles {
  Handles() : multi(curl_multi_init()), easy(curl_easy_init()) {
    PENSTOCK_CHECK(multi != nullptr && easy != nullptr);
  }
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  CURLM* const multi;
  CURL* const easy;
};

// What the callbacks of one request read and write.
struct Transfer::Exchange {
  Upload* upload = nullptr;
  bool upload_begun = false;
  bool upload_ended = false;
  std::optional<Error> failure;  // of a callback: explains an abort
  HeaderList headers;
  HttpReply reply;
  SteadyTime active{};
  std::array<char, CURL_ERROR_SIZE> detail{};

  // An upload's last byte handed to libcurl counts as sent: it may have left.
  size_t Read(char* out, size_t capacity) {
    upload_begun = true;
    Result<size_t> count = upload->Read(out, capacity);
    active = Clock::Real().Steady();  // after it: what it waited for may have taken long
    if (!count) {
      failure = std::move(count).error();
      return CURL_READFUNC_ABORT;
    }
    sent_ += *count;
    upload_ended = *count == 0 || sent_ == upload->size();
    return *count;
  }
  size_t Write(std::string_view bytes) {
    active = Clock::Real().Steady();
    if (reply.body.size() + bytes.size() > kReplyBytesMax) {
      failure = Error{.code = ErrorCode::kExhausted,
                      .message = "the answer is larger than 64 MiB",
                      .origin = "destination",
                      .native_code = 0,
                      .remedy = ""};
      return CURL_WRITEFUNC_ERROR;
    }
    reply.body += bytes;
    return bytes.size();
  }
  size_t Header(std::string_view line) {
    active = Clock::Real().Steady();
    ReadHeaderLine(line, reply);
    return line.size();
  }
  // Before each time libcurl sends the request. When it wants to repeat one, because a connection
  // that it kept died under it, the first may have been executed.
  int Prepare() {
    active = Clock::Real().Steady();
    return upload_begun ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
  }

  static size_t OnRead(char* out, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->Read(out, size * count);
  }
  static size_t OnWrite(char* bytes, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->Write({bytes, size * count});
  }
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->Header({bytes, size * count});
  }
  static int OnPrepare(void* self, char*, char*, int, int) {
    return static_cast<Exchange*>(self)->Prepare();
  }

 private:
  uint64_t sent_ = 0;
};

Transfer::Transfer(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  InitializeCurl();
  handles_ = std::make_unique<Handles>();
}

Transfer::~Transfer() = default;

const Endpoint& Transfer::endpoint() const { return endpoint_; }

Status Transfer::SetUp(const HttpRequest& request, Exchange& exchange) {
  PENSTOCK_TRY(CheckUrl(endpoint_.url));
  PENSTOCK_TRY(AddCredentials(endpoint_, exchange.headers));
  CURL* easy = handles_->easy;
  curl_easy_reset(easy);  // keeps the connection
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };

  std::string_view base = endpoint_.url;
  while (base.ends_with('/')) base.remove_suffix(1);
  set(CURLOPT_URL, (std::string(base) + request.target).c_str());
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  const HttpProxy proxy = ProxyFor(endpoint_.url);
  set(CURLOPT_PROXY, proxy.url.c_str());
  set(CURLOPT_NOPROXY, proxy.except.c_str());
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // no passwords with CONNECT
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_SOCKOPTFUNCTION, &DropUnsentOnClose);
  set(CURLOPT_MAXAGE_CONN, kIdleConnectionSecondsMax);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(endpoint_.connect_timeout.count()));
  set(CURLOPT_USERAGENT, "penstock/" PENSTOCK_VERSION);
  set(CURLOPT_ERRORBUFFER, exchange.detail.data());
  set(CURLOPT_PREREQFUNCTION, &Exchange::OnPrepare);
  set(CURLOPT_PREREQDATA, &exchange);
  set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, &Exchange::OnWrite);
  set(CURLOPT_WRITEDATA, &exchange);
  SetUpTls();

  if (request.body != nullptr) {
    const auto size = request.body->size();
    set(CURLOPT_POST, 1L);
    set(CURLOPT_READFUNCTION, &Exchange::OnRead);
    set(CURLOPT_READDATA, &exchange);
    set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
    set(CURLOPT_POSTFIELDSIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
    if (!size) exchange.headers.Add("Transfer-Encoding: chunked");
    if (!request.content_encoding.empty()) {
      exchange.headers.Add("Content-Encoding: " + request.content_encoding);
    }
    exchange.headers.Add("Content-Type: application/octet-stream");
    exchange.headers.Add("Expect:");  // libcurl would wait for "100 Continue"
  }
  set(CURLOPT_HTTPHEADER, exchange.headers.get());
  return {};
}

void Transfer::SetUpTls() {
  CURL* easy = handles_->easy;
  if (endpoint_.skip_cert_verification) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!endpoint_.ca_certificate.empty()) {
    // The blob alone: without this the folder of the system's authorities counts too.
    curl_easy_setopt(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    curl_blob blob{.data = const_cast<char*>(endpoint_.ca_certificate.data()),
                   .len = endpoint_.ca_certificate.size(),
                   .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
}

Status Transfer::Drive(Exchange& exchange, std::stop_token stop) {
  using std::chrono::milliseconds;
  CURLM* multi = handles_->multi;
  exchange.active = Clock::Real().Steady();
  int running = 1;
  while (running != 0) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "cancelled");
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      return Fail(ErrorCode::kInternal, "the transfer cannot be driven");
    }
    if (running == 0) break;
    const auto idle =
        std::chrono::duration_cast<milliseconds>(Clock::Real().Steady() - exchange.active);
    if (idle >= endpoint_.idle_timeout) {
      return Fail({.code = ErrorCode::kRetry,
                   .message = fmt::format("no byte moved for {} ms", idle.count()),
                   .origin = "destination",
                   .native_code = 0,
                   .remedy = ""});
    }
    const auto wait = std::min(endpoint_.idle_timeout - idle, milliseconds(1000));
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }

  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  PENSTOCK_CHECK(message != nullptr && message->msg == CURLMSG_DONE);
  const CURLcode code = message->data.result;
  if (code == CURLE_OK && !exchange.reply.headers_ended) {
    return Fail(Classify(CURLE_PARTIAL_FILE, "the reply was cut off"));
  }
  if (code == CURLE_OK) return {};
  if (exchange.failure) return Fail(*exchange.failure);
  return Fail(Classify(code, WithoutProxy(exchange.detail.data(), code, endpoint_.url)));
}

Result<HttpReply> Transfer::Perform(const HttpRequest& request, std::stop_token stop) {
  Exchange exchange;
  exchange.upload = request.body;
  PENSTOCK_TRY(SetUp(request, exchange));

  curl_multi_add_handle(handles_->multi, handles_->easy);
  Status driven;
  {
    std::stop_callback wake(stop, [this] { curl_multi_wakeup(handles_->multi); });
    driven = Drive(exchange, stop);
  }
  curl_easy_getinfo(handles_->easy, CURLINFO_RESPONSE_CODE, &exchange.reply.status);
  // Also ends what has not ended: its connection is closed.
  curl_multi_remove_handle(handles_->multi, handles_->easy);

  exchange.reply.body_sent = exchange.upload_ended;
  if (driven) return std::move(exchange.reply);
  // A server that refuses an upload half-way may close under it: what it said explains the failure.
  if (driven.error().code == ErrorCode::kRetry && exchange.reply.exception_code != 0) {
    return std::move(exchange.reply);
  }
  Error error = driven.error().In(fmt::format("ClickHouse at {}", endpoint_.url));
  if (error.code == ErrorCode::kCancelled) error.message = "cancelled";
  if (error.code == ErrorCode::kRetry && request.is_write && exchange.upload_ended) {
    error.code = ErrorCode::kUnknownOutcome;
  }
  return Fail(std::move(error));
}

}  // namespace penstock::clickhouse
