#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/http_server.h"
#include "api/keys.h"

namespace penstock::api {

// Whether a request may be meant for this server. A web page can make a browser send requests to a
// server on loopback; it cannot choose their Host and Origin. So Host must be an IP address or one
// of the names that are ours (else a name of the page's own may lead here), and Origin, where there
// is one, the same host and port (else another site asks). A body of a type other than JSON, as
// forms send it, is refused. `names` in lower case; nullptr: any Host will do. Nothing: the request
// may go on.
std::optional<Refusal> CheckRequestHead(const HttpRequest& head,
                                        const std::vector<std::string>* names);

// 401 without a key where one is needed or with a wrong one, 429 when too many are being checked.
std::optional<Refusal> CheckKey(KeyGuard& keys, const HttpRequest& head);

}  // namespace penstock::api
