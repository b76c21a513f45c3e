#include "mysql/wire/connect.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace penstock::mysql {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr uint32_t kClientSsl = 0x800;
constexpr size_t kSslRequestBytes = 36;

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;

// A self-signed certificate that names `host`.
Certificate MakeCertificate(EVP_PKEY* key, const std::string& host) {
  Certificate certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key);
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
  X509_add_ext(x, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(x, key, EVP_sha256());
  return certificate;
}

std::string Pem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

// The first packet of a MySQL server; with or without the offer of TLS.
std::string Greeting(bool offers_tls) {
  const uint32_t capabilities = 0x0008a201U | (offers_tls ? kClientSsl : 0);
  std::string body =
      "\x0a"
      "9.9.9";
  body += std::string(
      "\0\1\0\0\0"
      "12345678\0",
      14);
  body += static_cast<char>(capabilities & 0xff);
  body += static_cast<char>(capabilities >> 8 & 0xff);
  body += std::string("\x2d\x02\x00", 3);
  body += static_cast<char>(capabilities >> 16 & 0xff);
  body += static_cast<char>(capabilities >> 24 & 0xff);
  body += '\x15';
  body += std::string(10, '\0');
  body += std::string("123456789012\0", 13);
  body += std::string("mysql_native_password\0", 22);
  return std::string({static_cast<char>(body.size()), 0, 0, 0}) + body;
}

// Greets one client, takes its TLS handshake, and keeps what it sends until it, or the wait, ends.
class FakeServer {
 public:
  FakeServer(const std::string& certified_host, bool offers_tls)
      : key_(EVP_EC_gen("P-256")), certificate_(MakeCertificate(key_.get(), certified_host)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, offers_tls] { Serve(offers_tls); });
  }
  ~FakeServer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }

  uint16_t port() const { return port_; }
  std::string pem() const { return Pem(certificate_.get()); }

  // Call when the client has gone.
  std::string plain() {
    if (thread_.joinable()) thread_.join();
    return plain_;
  }
  std::string encrypted() {
    plain();
    return encrypted_;
  }

 private:
  void Serve(bool offers_tls) {
    const int client = ::accept(listener_, nullptr, nullptr);
    const timeval wait{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    const std::string greeting = Greeting(offers_tls);
    ::send(client, greeting.data(), greeting.size(), MSG_NOSIGNAL);
    char buffer[4096];
    ssize_t size = ::recv(client, buffer, kSslRequestBytes, MSG_WAITALL);
    if (size > 0) plain_.assign(buffer, static_cast<size_t>(size));
    if (plain_.size() == kSslRequestBytes) TakeTls(client);
    ::close(client);
  }
  void TakeTls(int client) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_.get());
    SSL_CTX_use_PrivateKey(context, key_.get());
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, client);
    if (SSL_accept(ssl) == 1) {
      char buffer[4096];
      const int size = SSL_read(ssl, buffer, sizeof(buffer));
      if (size > 0) encrypted_.assign(buffer, static_cast<size_t>(size));
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  Key key_;
  Certificate certificate_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
  std::string plain_;
  std::string encrypted_;
};

Endpoint EndpointOf(const FakeServer& server) {
  Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = server.port();
  endpoint.user = "theuser";
  endpoint.password = "thepassword";
  endpoint.ca_certificate = server.pem();
  return endpoint;
}

Error ConnectError(const Endpoint& endpoint) {
  SocketBreaker breaker;
  Result<MysqlHandle> connected = Connect(endpoint, "test", breaker);
  EXPECT_FALSE(connected);
  return connected ? Error{} : connected.error();
}

TEST(ConnectTlsTest, TheNamedServerGetsTheLoginWithoutAPassword) {
  FakeServer server("db.example", true);
  Endpoint endpoint = EndpointOf(server);
  endpoint.tls_host = "db.example";
  ConnectError(endpoint);
  EXPECT_THAT(server.plain(), Not(HasSubstr("theuser")));
  EXPECT_THAT(server.encrypted(), HasSubstr("theuser"));
  // The user's name, its terminating zero, then an authentication answer of no bytes.
  EXPECT_THAT(server.encrypted(), HasSubstr(std::string("theuser\0\0penstock_tls_gate", 27)));
}

TEST(ConnectTlsTest, AnotherNameGetsNothing) {
  FakeServer server("db.example", true);
  Endpoint endpoint = EndpointOf(server);
  endpoint.tls_host = "other.example";
  EXPECT_EQ(ConnectError(endpoint).native_code, 2026);
  EXPECT_THAT(server.plain(), Not(HasSubstr("theuser")));
  EXPECT_THAT(server.encrypted(), IsEmpty());
}

TEST(ConnectTlsTest, WithoutATlsHostTheAddressMustBeNamed) {
  FakeServer server("db.example", true);
  EXPECT_EQ(ConnectError(EndpointOf(server)).native_code, 2026);
  EXPECT_THAT(server.encrypted(), IsEmpty());
}

TEST(ConnectTlsTest, AnUnknownAuthorityGetsNothing) {
  FakeServer server("db.example", true);
  const FakeServer other("db.example", true);
  Endpoint endpoint = EndpointOf(server);
  endpoint.tls_host = "db.example";
  endpoint.ca_certificate = other.pem();
  EXPECT_EQ(ConnectError(endpoint).native_code, 2026);
  EXPECT_THAT(server.encrypted(), IsEmpty());
  // Let the other one end its wait for a client.
  Endpoint end = EndpointOf(other);
  end.disable_tls = true;
  ConnectError(end);
}

TEST(ConnectTlsTest, SkippedVerificationStillEncrypts) {
  FakeServer server("db.example", true);
  Endpoint endpoint = EndpointOf(server);
  endpoint.ca_certificate.clear();
  endpoint.skip_cert_verification = true;
  ConnectError(endpoint);
  EXPECT_THAT(server.plain(), Not(HasSubstr("theuser")));
  EXPECT_THAT(server.encrypted(), HasSubstr("theuser"));
}

TEST(ConnectTlsTest, AServerWithoutTlsGetsNotOneByte) {
  for (const bool skip : {false, true}) {
    FakeServer server("db.example", false);
    Endpoint endpoint = EndpointOf(server);
    endpoint.skip_cert_verification = skip;
    const Error error = ConnectError(endpoint);
    EXPECT_EQ(error.native_code, 2026);
    EXPECT_THAT(error.message, HasSubstr("does not offer TLS"));
    EXPECT_THAT(server.plain(), IsEmpty());
  }
}

TEST(ConnectTest, HostForms) {
  EXPECT_EQ(PlainHost("db.example").value(), "db.example");
  EXPECT_EQ(PlainHost("[::1]").value(), "::1");
  EXPECT_EQ(PlainHost("fe80::1%eth0").value(), "fe80::1%eth0");
  EXPECT_EQ(PlainHost("/run/my sql.sock").value(), "/run/my sql.sock");
  for (const std::string_view wrong : {"", "a,b", "host=x;user=y", "tcp://a", "a b", "[]"}) {
    EXPECT_FALSE(PlainHost(wrong)) << wrong;
  }
}

TEST(ConnectTest, CertificateNameIsTheTlsHostElseTheHost) {
  Endpoint endpoint;
  endpoint.host = "[::1]";
  EXPECT_EQ(CertificateName(endpoint).value(), "::1");
  endpoint.tls_host = "db.example";
  EXPECT_EQ(CertificateName(endpoint).value(), "db.example");
}

TEST(ConnectTest, ABrokenSocketConnectsNoMore) {
  FakeServer server("db.example", true);
  SocketBreaker breaker;
  breaker.Break();
  EXPECT_FALSE(Connect(EndpointOf(server), "test", breaker));
}

}  // namespace
}  // namespace penstock::mysql
