#include "mysql/wire/tls_gate.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysql/plugin_auth.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace penstock::mysql {
namespace {

constexpr char kUserDataKey[] = "penstock_tls_gate";

// st_mysql_client_plugin_AUTHENTICATION of mysql/client_plugin.h, which Debian ships without a
// header that it includes.
struct AuthenticationPlugin {
  MYSQL_CLIENT_PLUGIN_HEADER
  int (*authenticate_user)(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql);
};
constexpr int kAuthenticationType = 2;
constexpr unsigned int kAuthenticationInterfaceVersion = 0x0100;

int Refuse(MYSQL* mysql, const char* reason) {
  mysql->net.last_errno = CR_SSL_CONNECTION_ERROR;
  std::snprintf(mysql->net.last_error, sizeof(mysql->net.last_error), "%s", reason);
  std::snprintf(mysql->net.sqlstate, sizeof(mysql->net.sqlstate), "HY000");
  return CR_ERROR;
}

int PassGate(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  void* data = nullptr;
  mysql_get_optionv(mysql, MARIADB_OPT_USERDATA, const_cast<char*>(kUserDataKey), &data);
  const auto* gate = static_cast<const TlsGate*>(data);
  if (gate == nullptr) return Refuse(mysql, "TLS gate without data");
  if ((mysql->server_capabilities & CLIENT_SSL) == 0) {
    return Refuse(mysql, "the server does not offer TLS, and the pipe demands it");
  }
  char* name = ::strdup(gate->certificate_name.c_str());
  if (name == nullptr) return Refuse(mysql, "out of memory");
  std::free(mysql->host);
  mysql->host = name;
  return vio->write_packet(vio, nullptr, 0) == 0 ? CR_OK : CR_ERROR;
}

// libmariadb keeps a pointer to it for good.
AuthenticationPlugin gate_plugin = {
    .type = kAuthenticationType,
    .interface_version = kAuthenticationInterfaceVersion,
    .name = TlsGate::kPluginName,
    .author = "penstock",
    .desc = "demands TLS and names the certificate before anything is sent",
    .version = {1, 0, 0},
    .license = "Apache-2.0",
    .mysql_api = nullptr,
    .init = nullptr,
    .deinit = nullptr,
    .options = nullptr,
    .authenticate_user = PassGate};

}  // namespace

void TlsGate::Install(st_mysql* mysql) const {
  static std::once_flag registered;
  std::call_once(registered, [mysql] {
    auto* plugin = reinterpret_cast<st_mysql_client_plugin*>(&gate_plugin);
    PENSTOCK_CHECK(mysql_client_register_plugin(mysql, plugin) != nullptr);
  });
  mysql_optionsv(mysql, MARIADB_OPT_USERDATA, const_cast<char*>(kUserDataKey),
                 const_cast<TlsGate*>(this));
  mysql_optionsv(mysql, MYSQL_DEFAULT_AUTH, kPluginName);
}

}  // namespace penstock::mysql
