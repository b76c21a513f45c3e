#include "pipe/hosted_settings.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "pipe/json_fields.h"

namespace penstock::pipe {
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
constexpr std::array<Range, 3> kScalingNumbers = {{
    {"replicas", 1, 40},
    {"concurrency", 0, 34},
    {"replicaCpuMillicores", 125, 2'000},
}};
constexpr double kScalingMemoryMin = 0.5;
constexpr double kScalingMemoryMax = 8;

void CheckTexts(const json& given, const std::string& path, std::optional<Error>& error,
                std::pair<const char*, const char*> names) {
  size_t index = 0;
  std::string text;
  for (const json& element : given) {
    ObjectReader object(element, fmt::format("{}[{}]", path, index++), error);
    for (const char* name : {names.first, names.second}) object.ReadText(name, {}, text);
    object.RefuseOthers();
    if (error) return;
  }
}

}  // namespace

void CheckHostedSettings(const json& given, std::string path, std::optional<Error>& error) {
  ObjectReader object(given, std::move(path), error);
  for (const auto& [name, min, max] : kNumbers) object.ReadNumber(name, {.min = min, .max = max});
  bool ignored = false;
  for (const char* name : kSwitches) object.ReadBool(name, ignored);
  object.RefuseOthers();
}

void CheckHostedScaling(const json& given, std::string path, std::optional<Error>& error) {
  ObjectReader object(given, std::move(path), error);
  for (const auto& [name, min, max] : kScalingNumbers) {
    object.ReadNumber(name, {.min = min, .max = max});
  }
  const json* memory = object.Find("replicaMemoryGb", Presence::kOptional);
  if (memory != nullptr && (!memory->is_number() || memory->get<double>() < kScalingMemoryMin ||
                            memory->get<double>() > kScalingMemoryMax)) {
    object.Fail("replicaMemoryGb", "must be a number from 0.5 to 8");
  }
  object.RefuseOthers();
}

void CheckFieldMappings(const json& given, const std::string& path, std::optional<Error>& error) {
  CheckTexts(given, path, error, {"sourceField", "destinationField"});
}

void CheckDestinationColumns(const json& given, const std::string& path,
                             std::optional<Error>& error) {
  CheckTexts(given, path, error, {"name", "type"});
}

void CheckTableDefinition(const json& given, const std::string& path, std::optional<Error>& error) {
  ObjectReader object(given, path, error);
  std::string text;
  std::vector<std::string> texts;
  for (const char* name : {"partitionBy", "primaryKey"}) object.ReadText(name, {}, text);
  object.ReadTexts("sortingKey", texts);
  if (const json* found = object.Find("engine", Presence::kOptional)) {
    ObjectReader engine(*found, object.PathOf("engine"), error);
    engine.ReadChoice("type", Presence::kOptional,
                      {"MergeTree", "ReplacingMergeTree", "SummingMergeTree", "Null"});
    engine.ReadText("versionColumnId", {}, text);
    engine.ReadTexts("columnIds", texts);
    engine.RefuseOthers();
  }
  object.RefuseOthers();
}

}  // namespace penstock::pipe
