#include "api/cdc_scaling.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipe/json_fields.h"

namespace penstock::api {
namespace {

using nlohmann::json;

constexpr uint64_t kMillicoresMax = 32'000;
constexpr uint64_t kGibibytesPerCore = 4;

}  // namespace

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
        std::fmod(number, static_cast<double>(step)) != 0) {
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
