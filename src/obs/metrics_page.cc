#include "obs/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/check.h"

namespace penstock {
namespace {

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

std::vector<prometheus::ClientMetric::Label> LabelsOf(std::string_view names,
                                                      const LabelValues& values) {
  std::vector<prometheus::ClientMetric::Label> labels;
  for (const std::string& value : values) {
    PENSTOCK_CHECK(!names.empty());
    const size_t comma = names.find(',');
    labels.push_back({std::string(names.substr(0, comma)), value});
    names = comma == std::string_view::npos ? "" : names.substr(comma + 1);
  }
  PENSTOCK_CHECK(names.empty());
  return labels;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Fields of /proc/self/stat (proc(5)) from the third on, after the name, which may hold anything.
struct ProcStat {
  double threads = 0;
  double start_ticks = 0;  // after the system's
  double resident_pages = 0;
};
ProcStat ReadProcStat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  ProcStat stat;
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    if (number == 20) stat.threads = std::stod(field);
    if (number == 22) stat.start_ticks = std::stod(field);
    if (number == 24) stat.resident_pages = std::stod(field);
  }
  return stat;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime") file >> seconds;
  }
  return seconds;
}

double OpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  // Without the one that looks.
  return error ? 0 : static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

}  // namespace

class MetricsPage::Impl {
 public:
  Impl() : families_(kMetrics.size()) {
    for (size_t i = 0; i < kMetrics.size(); ++i) {
      families_[i].name = kMetrics[i].name;
      families_[i].help = kMetrics[i].help;
      families_[i].type = TypeOf(kMetrics[i].type);
    }
  }

  prometheus::ClientMetric& New(Metric metric, const LabelValues& labels) {
    auto& sample = families_[static_cast<size_t>(metric)].metric.emplace_back();
    sample.label = LabelsOf(SpecOf(metric).labels, labels);
    return sample;
  }

  std::string Text() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return prometheus::TextSerializer().Serializer::Serialize(families_);
  }

 private:
  std::vector<prometheus::MetricFamily> families_;  // in the order of kMetrics
};

MetricsPage::MetricsPage() : impl_(std::make_unique<Impl>()) {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::Add(Metric metric, const LabelValues& labels, double value) {
  auto& sample = impl_->New(metric, labels);
  PENSTOCK_CHECK(SpecOf(metric).type != MetricType::kHistogram);
  if (SpecOf(metric).type == MetricType::kCounter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
}

void MetricsPage::Add(Metric metric, const LabelValues& labels, const Histogram& histogram) {
  PENSTOCK_CHECK(SpecOf(metric).type == MetricType::kHistogram);
  auto& sample = impl_->New(metric, labels).histogram;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    sample.sample_count += histogram.counts[i];
    if (i == Histogram::kBounds.size()) break;
    sample.bucket.push_back(
        {.cumulative_count = sample.sample_count, .upper_bound = Histogram::kBounds[i]});
  }
  sample.sample_sum = std::chrono::duration<double>(histogram.total).count();
}

void MetricsPage::AddProcess() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const ProcStat stat = ReadProcStat();
  Add(Metric::kProcessCpu, {}, Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  Add(Metric::kProcessMemory, {},
      stat.resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  Add(Metric::kProcessFiles, {}, OpenFiles());
  Add(Metric::kProcessFilesMax, {}, static_cast<double>(files.rlim_cur));
  Add(Metric::kProcessThreads, {}, stat.threads);
  Add(Metric::kProcessStart, {},
      BootTime() + stat.start_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

std::string MetricsPage::Text() && { return impl_->Text(); }

}  // namespace penstock
