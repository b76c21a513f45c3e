#include "api/hosted_settings.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipe/json_fields.h"

namespace penstock::api {
namespace {

using nlohmann::json;

struct Range {
  const char* name;
  uint64_t min;
  uint64_t max;
};
constexpr std::array<Range, 10> kNumbers = {{
    {"streaming_max_insert_wait_ms", 500, 60'000},
    {"object_storage_concurrency", 1, 35},
    {"object_storage_polling_interval_ms", 100, 3'600'000},
    {"object_storage_max_insert_bytes", 10'485'760, 53'687'091'200},
    {"object_storage_max_file_count", 1, 10'000},
    {"clickhouse_max_threads", 0, 64},
    {"clickhouse_max_insert_threads", 0, 16},
    {"clickhouse_min_insert_block_size_bytes", 0, 10'737'418'240},
    {"clickhouse_max_download_threads", 0, 32},
    {"clickhouse_parallel_distributed_insert_select", 0, 2},
}};
constexpr std::array kSwitches = {"object_storage_use_cluster_function",
                                  "clickhouse_parallel_view_processing"};

constexpr uint64_t kMillicoresMax = 32'000;
constexpr uint64_t kGibibytesPerCore = 4;

}  // namespace

Result<json> ParsePipeSettings(const json& body) {
  std::optional<Error> error;
  pipe::ObjectReader object(body, "", error);
  json settings = json::object();
  for (const auto& [name, min, max] : kNumbers) {
    const auto number = object.ReadNumber(name, {.min = min, .max = max});
    if (number) settings[name] = *number;
  }
  for (const char* name : kSwitches) {
    bool value = false;
    object.ReadBool(name, value);
    if (object.Find(name, pipe::Presence::kOptional) != nullptr) settings[name] = value;
  }
  object.RefuseOthers();
  if (error) return Fail(*std::move(error));
  return settings;
}

json CdcScalingAtFirst() { return {{"replicaCpuMillicores", 1'000}, {"replicaMemoryGb", 4}}; }

Result<json> ParseCdcScaling(const json& body, const json& stored) {
  std::optional<Error> error;
  pipe::ObjectReader object(body, "", error);
  json scaling = stored;
  const auto read = [&](const char* name, uint64_t step, uint64_t max) {
    const json* found = object.Find(name, pipe::Presence::kOptional);
    if (found == nullptr) return;
    // Clients write whole numbers of memory as 8.0, too.
    const double number = found->is_number() ? found->get<double>() : 0;
    if (number < static_cast<double>(step) || number > static_cast<double>(max) ||
        static_cast<double>(static_cast<uint64_t>(number) / step * step) != number) {
      return object.Fail(name, fmt::format("must be a multiple of {} up to {}", step, max));
    }
    scaling[name] = static_cast<uint64_t>(number);
  };
  constexpr uint64_t kMillicores = 1'000;
  read("replicaCpuMillicores", kMillicores, kMillicoresMax);
  read("replicaMemoryGb", kGibibytesPerCore, kMillicoresMax / kMillicores * kGibibytesPerCore);
  object.RefuseOthers();
  if (!error && scaling.value("replicaMemoryGb", uint64_t{0}) * kMillicores !=
                    scaling.value("replicaCpuMillicores", uint64_t{0}) * kGibibytesPerCore) {
    object.Fail("replicaMemoryGb", "must be 4 for each 1000 of replicaCpuMillicores");
  }
  if (error) return Fail(*std::move(error));
  return scaling;
}

}  // namespace penstock::api
