#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "base/status.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// The shapes of openapi.yaml. Nothing here answers a secret.

// Text to JSON: kInvalidArgument where it is none, nests deeper than 32 levels, or names a key
// twice.
Result<nlohmann::json> ParseBody(const std::string& text);

HttpResponse Success(const nlohmann::json& result);
HttpResponse SuccessWithoutResult();
HttpResponse ErrorResponse(int status, std::string_view message);
HttpResponse ErrorResponse(const Error& error);
int HttpStatusOf(ErrorCode code);

nlohmann::json OrganizationToJson(const std::string& id);
nlohmann::json ServiceToJson(const std::string& id);
nlohmann::json PipeToJson(const pipe::PipeStatus& status, const std::string& service_id);
nlohmann::json HostedSettingsOf(const pipe::PipeStatus& status);
nlohmann::json TablesToJson(const pipe::PipeStatus& status);
nlohmann::json StatusToJson(const pipe::PipeStatus& status);
nlohmann::json EventsToJson(const std::vector<catalog::EventRecord>& events);
nlohmann::json StateHistoryToJson(const std::vector<catalog::Transition>& transitions);
nlohmann::json PartitionsToJson(const std::vector<pipe::PartitionStatus>& partitions);
nlohmann::json BatchesToJson(const std::vector<pipe::BatchStatus>& batches);
nlohmann::json ReportToJson(const pipe::CheckReport& report);

}  // namespace penstock::api
