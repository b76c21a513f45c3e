#include "api/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "obs/metrics.h"

namespace penstock::api {
namespace {

using testing::HasSubstr;
using testing::Not;

pipe::Figures OnePipe() {
  pipe::PipeFigures figures;
  figures.id = "1";
  figures.name = "shop";
  figures.snapshot_traffic = std::make_shared<Traffic>();
  figures.stream_traffic = std::make_shared<Traffic>();
  return {.pipes = {figures}, .memory = {{.share = "stream", .bytes = 8, .used = 2}}};
}

bool IsThere(const std::string& text, const MetricSpec& spec) {
  return text.find("# TYPE " + std::string(spec.name) + " ") != std::string::npos;
}

TEST(Metrics, EachIsThereWhenTheTableSaysSo) {
  const std::string none = MetricsResponse(pipe::Figures{}).body;
  EXPECT_THAT(none, Not(HasSubstr("penstock_pipe_")));
  pipe::Figures figures = OnePipe();
  const std::string made = MetricsResponse(figures).body;
  figures.pipes[0].set_up = true;
  figures.pipes[0].stream.position.file = "bin.000012";
  const std::string set_up = MetricsResponse(figures).body;
  for (const MetricSpec& spec : kMetrics) {
    EXPECT_EQ(IsThere(made, spec), spec.presence == Presence::kAlways) << spec.name;
    EXPECT_EQ(IsThere(set_up, spec), spec.presence <= Presence::kSetUp) << spec.name;
  }
}

TEST(Metrics, TheSourcesLogIsToldWhileItIsFollowed) {
  pipe::Figures figures = OnePipe();
  pipe::PipeFigures& pipe = figures.pipes[0];
  pipe.set_up = true;
  pipe.stream.position.file = "bin.000012";
  pipe.stream.position.offset = 40;
  pipe.stream.lag = std::chrono::milliseconds(1'500);
  pipe.stream.source = stream::SourceLog{
      .server = "",
      .gtids = "",
      .files = {{.name = "bin.000012", .bytes = 100}, {.name = "bin.000013", .bytes = 7}},
      .retention = std::chrono::seconds(60)};
  EXPECT_THAT(MetricsResponse(figures).body, Not(HasSubstr("penstock_pipe_lag_seconds")));
  pipe.working = true;
  const std::string text = MetricsResponse(figures).body;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"lag_seconds", "1.5"},
                                                        {"lag_bytes", "67"},
                                                        {"log_file_number", "12"},
                                                        {"log_offset_bytes", "40"},
                                                        {"source_log_file_number", "13"},
                                                        {"source_log_offset_bytes", "7"},
                                                        {"log_retention_seconds", "60"},
                                                        {"log_retention_left_seconds", "59"}}) {
    EXPECT_THAT(text, HasSubstr(fmt::format("\npenstock_pipe_{}{{pipe=\"shop\",id=\"1\"}} {}\n",
                                            name, value)));
  }
}

TEST(Metrics, ErrorsAreCountedByPartAndKind) {
  pipe::Figures figures = OnePipe();
  figures.pipes[0].errors = {{{"log", ErrorCode::kRetry}, 3},
                             {{"log", ErrorCode::kExhausted}, 1},
                             {{"pipe", ErrorCode::kNeedsUser}, 1}};
  const std::string text = MetricsResponse(figures).body;
  EXPECT_THAT(text,
              HasSubstr("penstock_pipe_retries_total{pipe=\"shop\",id=\"1\",part=\"log\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("part=\"log\",kind=\"retry\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("part=\"pipe\",kind=\"needs_user\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("retries_total{pipe=\"shop\",id=\"1\",part=\"pipe\"")));
}

}  // namespace
}  // namespace penstock::api
