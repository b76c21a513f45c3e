#include "clickhouse/compression.h"

namespace penstock::clickhouse {
namespace {

std::string_view HostOf(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find_first_of(":/"));
}

}  // namespace

Compression CompressionTo(std::string_view url) {
  const std::string_view host = HostOf(url);
  const bool is_loopback =
      host == "localhost" || host == "::1" ||
      (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
  return is_loopback ? Compression::kNone : Compression::kZstd;
}

std::string_view ContentEncoding(Compression compression) {
  switch (compression) {
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      break;
  }
  return "";
}

}  // namespace penstock::clickhouse
