#include "obs/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <utility>

namespace penstock {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST(MetricsTable, NamesFollowTheConventions) {
  std::set<std::string_view> names;
  for (const MetricSpec& spec : kMetrics) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name << " is there twice";
    EXPECT_TRUE(spec.name.starts_with("penstock_") || spec.name.starts_with("process_"));
    EXPECT_EQ(spec.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos)
        << spec.name;
    EXPECT_EQ(spec.name.ends_with("_total"), spec.type == MetricType::kCounter) << spec.name;
    EXPECT_TRUE(spec.help.ends_with(".")) << spec.name;
    EXPECT_EQ(spec.name.starts_with("penstock_pipe_"), spec.labels.starts_with("pipe,id"))
        << spec.name;
  }
}

TEST(MetricsPage, SamplesAreTextOfPrometheus) {
  MetricsPage page;
  page.Add(Metric::kLag, {"a \"pipe\"\n\\", "1"}, 1.5);
  page.Add(Metric::kRowsSent, {"shop", "2", "stream"}, 3);
  const std::string text = std::move(page).Text();
  EXPECT_THAT(text, HasSubstr("# TYPE penstock_pipe_lag_seconds gauge\n"
                              "penstock_pipe_lag_seconds{pipe=\"a \\\"pipe\\\"\\n\\\\\",id=\"1\"} "
                              "1.5\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE penstock_pipe_rows_sent_total counter\n"
                              "penstock_pipe_rows_sent_total{pipe=\"shop\",id=\"2\","
                              "phase=\"stream\"} 3\n"));
  // What has no sample is not there.
  EXPECT_THAT(text, Not(HasSubstr("penstock_pipe_lag_bytes")));
}

TEST(MetricsPage, AHistogramCounts) {
  Histogram histogram;
  for (const int took : {5, 10, 11, 700, 90'000}) histogram.Observe(milliseconds(took));
  MetricsPage page;
  page.Add(Metric::kBatchDuration, {"shop", "1"}, histogram);
  const std::string text = std::move(page).Text();
  const std::string name = "penstock_pipe_batch_duration_seconds";
  const std::string labels = "{pipe=\"shop\",id=\"1\"";
  for (const auto& [le, count] : std::vector<std::pair<std::string, int>>{
           {"0.01", 2}, {"0.025", 3}, {"0.5", 3}, {"1", 4}, {"60", 4}, {"+Inf", 5}}) {
    EXPECT_THAT(text, HasSubstr(name + "_bucket" + labels + ",le=\"" + le + "\"} " +
                                std::to_string(count) + "\n"));
  }
  EXPECT_THAT(text, HasSubstr(name + "_count" + labels + "} 5\n"));
  EXPECT_THAT(text, HasSubstr(name + "_sum" + labels + "} 90.72"));
}

TEST(MetricsPage, TheProcessIsThere) {
  MetricsPage page;
  page.AddProcess();
  const std::string text = std::move(page).Text();
  for (const MetricSpec& spec : kMetrics) {
    if (!spec.name.starts_with("process_")) continue;
    const size_t at = text.find("\n" + std::string(spec.name) + " ");
    ASSERT_NE(at, std::string::npos) << spec.name;
    EXPECT_GT(std::stod(text.substr(at + spec.name.size() + 2)), 0) << spec.name;
  }
}

}  // namespace
}  // namespace penstock
