#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "base/status.h"

namespace penstock::cli {

// Speaks to a penstock server's API. One thread at a time. Errors carry the server's own words; a
// server that is not there is kRetry, and so is one that does not answer in time what changes
// nothing; else that is kUnknownOutcome.
class ApiClient {
 public:
  struct Server {
    std::string url;          // scheme, host and port
    std::string key_id = {};  // "": without a key
    std::string key_secret = {};
    std::string ca_file = {};          // PEM, in place of the system's authorities
    std::chrono::seconds timeout{60};  // of an answer
  };
  ApiClient(Server server, std::stop_token stop);

  // `path` is below the service: "/clickpipes". The answer's `result`; null where there is none.
  Result<nlohmann::json> Get(const std::string& path);
  Result<nlohmann::json> Delete(const std::string& path);
  // What checks a source and a destination may take minutes.
  Result<nlohmann::json> Post(const std::string& path, const nlohmann::json& body);
  Result<nlohmann::json> Patch(const std::string& path, const nlohmann::json& body);

  // Text as a value of a query.
  static std::string Escaped(const std::string& text);
  // The path of the pipe with this name or id.
  Result<std::string> FindPipe(const std::string& name);

 private:
  struct Call {
    const char* method;
    std::string path;
    std::string body;
    std::chrono::seconds timeout;
  };
  Result<nlohmann::json> CallService(Call call);
  Result<nlohmann::json> Send(const Call& call);

  const Server server_;
  const std::stop_token stop_;
  std::string service_path_;  // once it is known
};

}  // namespace penstock::cli
