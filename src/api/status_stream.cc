#include "api/status_stream.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/shapes.h"
#include "base/clock.h"

namespace penstock::api {
namespace {

constexpr std::chrono::seconds kLookInterval{1};
constexpr size_t kQuietLooksMax = 5;  // then a comment tells whether the client is there

std::string Event(const char* name, const nlohmann::json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name,
                     data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// One stream; counted while it lives.
class Stream {
 public:
  Stream(const pipe::Supervisor& supervisor, std::string id, size_t tables_max,
         std::stop_token stop, std::shared_ptr<std::atomic<size_t>> open)
      : supervisor_(supervisor),
        id_(std::move(id)),
        tables_max_(tables_max),
        stop_(std::move(stop)),
        open_(std::move(open)) {}
  ~Stream() { --*open_; }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::optional<std::string> Next() {
    if (is_over_ || (!last_.empty() && !Clock::Real().Wait(kLookInterval, stop_))) {
      return std::nullopt;
    }
    const auto status = supervisor_.Get(id_, tables_max_);
    is_over_ = !status.has_value();
    std::string event = status ? Event("status", StatusToJson(*status))
                               : Event("gone", {{"error", status.error().ToString()}});
    if (event != last_) {
      quiet_looks_ = 0;
      last_ = event;
      return event;
    }
    if (++quiet_looks_ < kQuietLooksMax) return "";
    quiet_looks_ = 0;
    return ": still the same\n\n";
  }

 private:
  const pipe::Supervisor& supervisor_;
  const std::string id_;
  const size_t tables_max_;
  const std::stop_token stop_;
  const std::shared_ptr<std::atomic<size_t>> open_;
  std::string last_;
  size_t quiet_looks_ = 0;
  bool is_over_ = false;
};

}  // namespace

HttpResponse StatusStreams::Open(const std::string& pipe_id, size_t tables_max) const {
  if (const auto status = supervisor_.Get(pipe_id, 0); !status) {
    return ErrorResponse(status.error());
  }
  const size_t before = (*open_)++;
  const auto stream = std::make_shared<Stream>(supervisor_, pipe_id, tables_max, stop_, open_);
  if (before >= kStreamsMax) {
    return ErrorResponse(503, fmt::format("{} streams are open, and no more may be: close one, or "
                                          "ask for the status",
                                          kStreamsMax));
  }
  return {.body = "",
          .headers = {{"Cache-Control", "no-store"}},
          .content_type = "text/event-stream",
          .stream = [stream] { return stream->Next(); }};
}

}  // namespace penstock::api
