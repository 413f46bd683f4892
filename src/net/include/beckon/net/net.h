#pragma once
// Outgoing HTTP to addresses that customers of ours may have typed in: never where it must not go, never more than once, and honest
// about what is known afterwards.
//
//   Error                       nothing was sent, for certain: may be repeated
//   value with status > 0       the other side answered
//   value with status == 0      UNKNOWN: bytes of the request left, no answer came; repeating may do it twice

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "POST";  ///< letters only
  std::string url;              ///< http or https, without user and password
  Headers headers = {};         ///< no line ends or NUL in them
  std::string body = {};
  std::int64_t timeout_ms = 15'000;         ///< of the whole exchange
  std::int64_t connect_timeout_ms = 5'000;
  bool allow_private_addresses = false;     ///< true only for addresses that an operator wrote into the configuration
};

struct HttpResponse {
  int status = 0;             ///< 0: no answer, see above
  Headers headers = {};       ///< of the final answer; names in lower case, in order
  std::string body = {};      ///< at most ClientOptions::body_bytes_max
  bool body_cut = false;      ///< the body was longer, or broke off
  bool connected = false;
  bool request_sent = false;  ///< at least one byte of the request left
  std::string problem = {};   ///< what went wrong when status == 0 or the body broke off; no personal data
  /// Value of the first header of that (lower-case) name, or empty.
  std::string_view header(std::string_view name) const;
};

struct ClientOptions {
  std::size_t body_bytes_max = 65'536;
  std::size_t idle_handles_max = 64;  ///< kept with their connections for the next request
  std::string user_agent = "beckon/0.1";
  std::string ca_file = {};           ///< PEM; empty: the system's certificates. Certificates are always checked.
};

/// Thread-safe; each call blocks its thread. Connections are kept and reused. Never follows redirects, never repeats a request by itself,
/// uses no proxy, keeps no cookies.
class HttpClient {
 public:
  explicit HttpClient(ClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// invalid_argument: the request itself is wrong; permission_denied: a forbidden address; unavailable or deadline_exceeded: not reached.
  base::Result<HttpResponse> send(const HttpRequest& request) const;
  /// send() with method POST.
  base::Result<HttpResponse> post(HttpRequest request) const;

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

struct UrlParts {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< without brackets; numeric IPv4 forms ("0x7f.1") are written out
  int port = 0;        ///< the scheme's own when none is given
  std::string path;    ///< with query
};
/// The same rules as for a request: invalid_argument with the reason.
base::Result<UrlParts> parse_url(const std::string& url);

/// True for an address that is routed on the public internet. False for private, loopback, link-local, shared (RFC 6598),
/// documentation, benchmark, multicast and reserved ranges, IPv4 inside IPv6 of such a kind, and text that is not an address.
bool is_public_address(std::string_view ip);

}  // namespace beckon::net
