#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/status.h"
#include "mysql/wire/connection.h"
#include "mysql/wire/socket_breaker.h"

struct st_mysql;

namespace penstock::mysql {

// A little above the largest event a server can send (max_allowed_packet is at most 1 GiB).
inline constexpr unsigned long kPacketBytesMax = (1UL << 30) + (1UL << 20);

struct MysqlCloser {
  void operator()(st_mysql* mysql) const;
};
using MysqlHandle = std::unique_ptr<st_mysql, MysqlCloser>;

// Connects and logs in within endpoint.connect_timeout for all of it (a name lookup may take
// longer), with TLS as the endpoint demands. `breaker` watches the socket from then on; breaking
// it during the call ends the call. The session is as the server makes it: nothing is set.
Result<MysqlHandle> Connect(const Endpoint& endpoint, std::string_view purpose,
                            SocketBreaker& breaker);

// `host` without the brackets of an IPv6 literal. kInvalidArgument for what is neither a name, an
// address nor an absolute path: libmariadb would read "a,b" as a list of hosts and "x=y" as
// options.
Result<std::string> PlainHost(std::string_view host);

// The name or address that the server's certificate must carry.
Result<std::string> CertificateName(const Endpoint& endpoint);

// The error that `mysql` holds.
Error LastError(st_mysql* mysql);

}  // namespace penstock::mysql
