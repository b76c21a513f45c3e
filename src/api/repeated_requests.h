#pragma once

#include <functional>
#include <set>
#include <string>

#include "api/http_server.h"
#include "base/mutex.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// Requests with an Idempotency-Key: one that is sent again is answered as it was, also by another
// run of the server, for 24 hours. Only success counts: what failed may be tried again. Safe from
// any thread.
class RepeatedRequests {
 public:
  explicit RepeatedRequests(pipe::Supervisor& supervisor) : supervisor_(supervisor) {}

  // `answer` is called unless the answer is known; without a key always. 422: the key was used for
  // another request. 409: that one is still being answered.
  HttpResponse Once(const HttpRequest& request, const std::function<HttpResponse()>& answer)
      EXCLUDES(mutex_);

 private:
  HttpResponse Answer(const std::string& key, const HttpRequest& request,
                      const std::function<HttpResponse()>& answer);

  pipe::Supervisor& supervisor_;
  Mutex mutex_;
  std::set<std::string> being_answered_ GUARDED_BY(mutex_);
};

}  // namespace penstock::api
