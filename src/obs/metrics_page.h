#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "obs/histogram.h"
#include "obs/metrics.h"

namespace penstock {

using LabelValues = std::vector<std::string>;

// One answer to a scrape: samples of the metrics in kMetrics, gathered while it is made. So what is
// gone is not in the next one. One thread.
class MetricsPage {
 public:
  // Its media type.
  static constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

  MetricsPage();
  ~MetricsPage();

  // `labels`: the values of the metric's labels, in their order.
  void Add(Metric metric, const LabelValues& labels, double value);
  void Add(Metric metric, const LabelValues& labels, const Histogram& histogram);
  // CPU, memory, files and threads of this process.
  void AddProcess();

  // In the text format of Prometheus.
  std::string Text() &&;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
