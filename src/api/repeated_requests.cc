#include "api/repeated_requests.h"

#include <openssl/evp.h>

#include <array>
#include <functional>
#include <memory>

#include "api/shapes.h"
#include "base/clock.h"
#include "base/hex.h"
#include "obs/log.h"

namespace penstock::api {
namespace {

constexpr size_t kKeyBytesMax = 255;

std::string HashOf(const HttpRequest& request) {
  const std::string text = fmt::format("{} {}\n{}", request.method, request.path, request.body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr);
  return Hex({reinterpret_cast<const char*>(hash.data()), size});
}

}  // namespace

HttpResponse RepeatedRequests::Once(const HttpRequest& request,
                                    const std::function<HttpResponse()>& answer) {
  const std::string key = request.Header("idempotency-key");
  if (key.empty()) return answer();
  if (key.size() > kKeyBytesMax) {
    return ErrorResponse(
        400, fmt::format("Idempotency-Key: must not be longer than {} bytes", kKeyBytesMax));
  }
  {
    MutexLock lock(mutex_);
    if (!being_answered_.insert(key).second) {
      return ErrorResponse(409,
                           "a request with this Idempotency-Key is being answered; send it "
                           "again when that is over");
    }
  }
  const std::unique_ptr<const std::string, std::function<void(const std::string*)>> answered(
      &key, [this](const std::string* each) {
        MutexLock lock(mutex_);
        being_answered_.erase(*each);
      });
  return Answer(key, request, answer);
}

HttpResponse RepeatedRequests::Answer(const std::string& key, const HttpRequest& request,
                                      const std::function<HttpResponse()>& answer) {
  const std::string hash = HashOf(request);
  const auto known = supervisor_.Answer(key);
  if (!known) return ErrorResponse(known.error());
  if (*known && (*known)->request_hash != hash) {
    return ErrorResponse(422,
                         "this Idempotency-Key was used for another request; choose a new one");
  }
  if (*known) return {.status = (*known)->status, .body = (*known)->body};
  HttpResponse response = answer();
  if (response.status != 200) return response;
  const Status stored = supervisor_.SaveAnswer({.key = key,
                                                .request_hash = hash,
                                                .status = response.status,
                                                .body = response.body,
                                                .at = Clock::Real().Wall()});
  // The work is done; a repetition would be refused by the name that is taken.
  if (!stored) LogWarning("", "an answer is not stored: {}", stored.error().ToString());
  return response;
}

}  // namespace penstock::api
