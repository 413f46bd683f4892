// The only user of libcurl (7.88).
#include <curl/curl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "beckon/net/net.h"

namespace beckon::net {
namespace {

constexpr std::size_t kHeaderBytesMax = 65'536;

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListCloser>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  std::string out = text;
  curl_free(text);
  return out;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// A line end in a header would let its author write headers, or a whole second request, of his own.
base::Status check(const HttpRequest& request) {
  BECKON_TRY_STATUS([&]() -> base::Status {
    const auto url = parse_url(request.url);
    return url.ok() ? base::ok_status() : base::Status(url.error());
  }());
  if (!std::all_of(request.method.begin(), request.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) || request.method.empty()) {
    return base::invalid_argument("http request: the method must be capital letters");
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return base::invalid_argument("http request: header '" + name.substr(0, 40) + "' has characters that do not belong there");
    }
  }
  if (request.timeout_ms < 1 || request.connect_timeout_ms < 1) {
    return base::invalid_argument("http request: timeouts must be at least 1 ms");
  }
  return base::ok_status();
}

// What the callbacks of one exchange share.
struct Exchange {
  const HttpRequest& request;
  const ClientOptions& options;
  HttpResponse response = {};
  std::size_t header_bytes = 0;
  bool forbidden = false;  // an address was refused
  bool resend = false;     // curl wanted a second connection for bytes that had left on a first
};

std::string address_text(const curl_sockaddr* address) {
  std::array<char, NI_MAXHOST> text{};
  const auto* socket_address = &address->addr;
  return ::getnameinfo(socket_address, address->addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0 ? text.data() : "";
}

curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.response.request_sent) {
    exchange.resend = true;  // a kept connection died after the request went out: curl would quietly send it again
    return CURL_SOCKET_BAD;
  }
  if (!exchange.request.allow_private_addresses && !is_public_address(address_text(address))) {
    exchange.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Before each request, also on a kept connection, which may have been opened for a request with other permissions.
int on_before_request(void* user, char* remote_ip, char*, int, int) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.response.connected = true;
  if (!exchange.request.allow_private_addresses && !is_public_address(remote_ip)) {
    exchange.forbidden = true;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

int on_debug(CURL*, curl_infotype type, char*, std::size_t size, void* user) {
  if ((type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT) && size > 0) {
    static_cast<Exchange*>(user)->response.request_sent = true;
  }
  return 0;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kHeaderBytesMax) {
    return 0;
  }
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
    line.remove_suffix(1);
  }
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();  // what came before was an interim answer
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    exchange.response.headers.emplace_back(lower(line.substr(0, colon)), std::string(value));
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string& body = exchange.response.body;
  const std::size_t room = exchange.options.body_bytes_max - std::min(body.size(), exchange.options.body_bytes_max);
  body.append(data, std::min(size, room));
  if (size > room) {
    exchange.response.body_cut = true;
    return 0;  // the rest is not worth waiting for
  }
  return size;
}

template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  BECKON_CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
}

List header_list(const HttpRequest& request) {
  // No waiting for "100 Continue", and no content type that curl would invent.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  const bool typed = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& h) { return lower(h.first) == "content-type"; });
  if (!typed) {
    list = curl_slist_append(list, "Content-Type:");
  }
  for (const auto& [name, value] : request.headers) {
    // curl drops "Name:" and sends an empty value for "Name;".
    list = curl_slist_append(list, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  return List(list);
}

void set_up(CURL* curl, Exchange& exchange, curl_slist* headers) {
  const HttpRequest& request = exchange.request;
  curl_easy_reset(curl);  // keeps the connections
  set(curl, CURLOPT_URL, request.url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_PROXY, "");  // not even from the environment: the guard must see the real address
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  set(curl, CURLOPT_USERAGENT, exchange.options.user_agent.c_str());
  set(curl, CURLOPT_HTTPHEADER, headers);
  if (request.method != "GET" || !request.body.empty()) {
    set(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") {
    set(curl, CURLOPT_NOBODY, 1L);
  }
  if (!exchange.options.ca_file.empty()) {
    set(curl, CURLOPT_CAINFO, exchange.options.ca_file.c_str());
  }
  set(curl, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  set(curl, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&exchange));
  set(curl, CURLOPT_PREREQFUNCTION, &on_before_request);
  set(curl, CURLOPT_PREREQDATA, static_cast<void*>(&exchange));
  set(curl, CURLOPT_VERBOSE, 1L);  // only way to see bytes leave
  set(curl, CURLOPT_DEBUGFUNCTION, &on_debug);
  set(curl, CURLOPT_DEBUGDATA, static_cast<void*>(&exchange));
  set(curl, CURLOPT_HEADERFUNCTION, &on_header);
  set(curl, CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  set(curl, CURLOPT_WRITEFUNCTION, &on_body);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
}

// The host is named, the path never: it may hold a token.
base::Result<HttpResponse> judge(CURL* curl, CURLcode code, Exchange& exchange) {
  HttpResponse& response = exchange.response;
  const std::string host = parse_url(exchange.request.url).value().host;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = status >= 200 ? static_cast<int>(status) : 0;
  if (code == CURLE_OK) {
    return std::move(response);
  }
  const std::string problem = exchange.resend ? "the kept connection broke after the request had been sent" : curl_easy_strerror(code);
  if (response.status > 0) {
    response.body_cut = true;
    response.problem = problem;
    return std::move(response);
  }
  if (response.request_sent) {
    response.headers.clear();
    response.body.clear();
    response.problem = "no answer from " + host + ": " + problem;
    return std::move(response);
  }
  if (exchange.forbidden) {
    return base::Error{base::ErrorCode::kPermissionDenied,
                       host + " leads to an address that is not public: name a public host, or allow private addresses in the configuration"};
  }
  const auto kind = code == CURLE_OPERATION_TIMEDOUT ? base::ErrorCode::kDeadlineExceeded : base::ErrorCode::kUnavailable;
  return base::Error{kind, "cannot reach " + host + ": " + problem};
}

}  // namespace

// A handle is used by one call at a time and keeps its connections, at most one to a host.
struct HttpClient::Pool {
  ClientOptions options;
  std::mutex mutex;
  std::vector<CURL*> idle;

  CURL* take() {
    const std::scoped_lock lock(mutex);
    if (idle.empty()) {
      return curl_easy_init();
    }
    CURL* curl = idle.back();
    idle.pop_back();
    return curl;
  }
  void give_back(CURL* curl) {
    {
      const std::scoped_lock lock(mutex);
      if (idle.size() < options.idle_handles_max) {
        idle.push_back(curl);
        return;
      }
    }
    curl_easy_cleanup(curl);
  }
};

HttpClient::HttpClient(ClientOptions options) : pool_(std::make_unique<Pool>()) {
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  BECKON_CHECK(kInitialised == CURLE_OK);
  pool_->options = std::move(options);
}

HttpClient::~HttpClient() {
  for (CURL* curl : pool_->idle) {
    curl_easy_cleanup(curl);
  }
}

base::Result<HttpResponse> HttpClient::send(const HttpRequest& request) const {
  BECKON_TRY_STATUS(check(request));
  CURL* curl = pool_->take();
  if (curl == nullptr) {
    return base::Error{base::ErrorCode::kResourceExhausted, "no memory for an HTTP request: lower the number of workers"};
  }
  Exchange exchange{request, pool_->options};
  const List headers = header_list(request);
  set_up(curl, exchange, headers.get());
  auto result = judge(curl, curl_easy_perform(curl), exchange);
  curl_easy_reset(curl);  // no pointer into this frame may stay behind
  pool_->give_back(curl);
  return result;
}

base::Result<HttpResponse> HttpClient::post(HttpRequest request) const {
  request.method = "POST";
  return send(request);
}

std::string_view HttpResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

base::Result<UrlParts> parse_url(const std::string& url) {
  const std::unique_ptr<CURLU, UrlCloser> handle(curl_url());
  BECKON_CHECK(handle != nullptr);
  if (url.find('\0') != std::string::npos || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return base::invalid_argument("not a URL: write it as https://host/path");
  }
  UrlParts parts;
  parts.scheme = lower(part_of(handle.get(), CURLUPART_SCHEME));
  if (parts.scheme != "http" && parts.scheme != "https") {
    return base::invalid_argument("a URL must start with https:// or http://");
  }
  if (!part_of(handle.get(), CURLUPART_USER).empty() || !part_of(handle.get(), CURLUPART_PASSWORD).empty()) {
    return base::invalid_argument("a URL must not hold a user or password: send them in a header");
  }
  parts.host = lower(part_of(handle.get(), CURLUPART_HOST));
  if (parts.host.starts_with('[')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  parts.port = std::atoi(part_of(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str());
  const std::string query = part_of(handle.get(), CURLUPART_QUERY);
  parts.path = part_of(handle.get(), CURLUPART_PATH) + (query.empty() ? "" : "?" + query);
  if (parts.host.empty() || parts.port == 0) {
    return base::invalid_argument("a URL needs a host and a valid port");
  }
  return parts;
}

}  // namespace beckon::net
