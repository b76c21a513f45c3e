#pragma once

#include <string>

struct st_mysql;

namespace penstock::mysql {

// What stands between the server's greeting and the first byte of the login.
//
// libmariadb has no option for a certificate's name other than the host, and logs in over plaintext
// when a server (or whoever is in between) does not offer TLS. It does let a program bring an
// authentication plugin, and runs the first one when the greeting has arrived and nothing has been
// sent. The gate is such a plugin: it refuses a server without TLS, and puts `certificate_name`
// where libmariadb, told to verify, finds the name to compare with. Then it answers with nothing:
// libmariadb makes the TLS handshake, verifies chain and name, sends the login packet without any
// password, and the server asks for the account's own plugin, with which login goes on as usual.
struct TlsGate {
  std::string certificate_name;

  // libmariadb's name for the plugin, for the list of plugins that a connection may use.
  static constexpr char kPluginName[] = "penstock_tls_gate";

  // Makes `mysql`, not yet connected, pass through this gate, which must live until it is.
  void Install(st_mysql* mysql) const;
};

}  // namespace penstock::mysql
