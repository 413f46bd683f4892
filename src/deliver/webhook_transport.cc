#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <optional>
#include <sstream>
#include <thread>

#include "beckon/base/codec.h"
#include "beckon/deliver/transport.h"
#include "beckon/net/net.h"
#include "beckon/privacy/privacy.h"

namespace beckon::deliver {
namespace {

constexpr std::size_t kSecretBytesMin = 24;                  // as the specification asks
constexpr std::int64_t kRetryAfterMaxMs = 24 * base::kHourMs;  // a message's own expiry decides what comes later

// Secrets separated by blanks or line ends, as bytes.
base::Result<std::vector<std::string>> read_secrets(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string bytes = word;
    if (word.starts_with("whsec_")) {
      const auto decoded = base::from_base64(std::string_view(word).substr(6));
      if (!decoded.ok()) {
        return base::invalid_argument("the webhook's secret is not base64 after whsec_: copy it again");
      }
      bytes = *decoded;
    }
    if (bytes.size() < kSecretBytesMin) {
      return base::invalid_argument("the webhook's secret has " + std::to_string(bytes.size()) +
                                    " bytes, 24 are the least: make one with  echo whsec_$(openssl rand -base64 32)");
    }
    out.push_back(std::move(bytes));
  }
  if (out.empty()) {
    return base::failed_precondition("the webhook's secret is empty: make one with  echo whsec_$(openssl rand -base64 32)");
  }
  return out;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110), the only form of a date that may still be sent.
std::optional<base::Instant> parse_http_date(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 4> month{};
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (std::sscanf(text.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &day, month.data(), &year, &hour, &minute, &second) != 6) {
    return std::nullopt;
  }
  const auto found = std::find(kMonths.begin(), kMonths.end(), std::string_view(month.data()));
  std::array<char, 32> iso{};
  std::snprintf(iso.data(), iso.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", year, static_cast<int>(found - kMonths.begin()) + 1, day, hour,
                minute, second);
  const auto at = base::parse_time(iso.data(), base::Zone::utc());
  return found == kMonths.end() || !at.ok() ? std::nullopt : std::optional<base::Instant>(*at);
}

std::int64_t retry_after_ms(const std::string& text, base::Instant now) {
  std::int64_t wait_ms = 0;
  if (!text.empty() && text.size() <= 9 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
    wait_ms = std::stoll(text) * base::kSecondMs;
  } else if (const auto at = parse_http_date(text); at.has_value()) {
    wait_ms = at->ms - now.ms;
  }
  return std::clamp<std::int64_t>(wait_ms, 0, kRetryAfterMaxMs);
}

class WebhookTransport final : public Transport {
 public:
  WebhookTransport(WebhookOptions options, std::vector<std::string> secrets)
      : options_(std::move(options)), secrets_(std::move(secrets)), client_(client_options(options_)) {}

  std::vector<Receipt> send(std::span<const Parcel> parcels) override {
    std::vector<Receipt> receipts(parcels.size());
    std::atomic<std::size_t> next{0};
    std::atomic<int> failures{0};  // in a row
    const auto work = [&] {
      for (std::size_t i = next++; i < parcels.size(); i = next++) {
        if (failures >= kWebhookFailuresMax) {
          receipts[i] = {Answer::kRetry, "not tried: the endpoint failed " + std::to_string(kWebhookFailuresMax) + " times in a row", 0};
          continue;
        }
        receipts[i] = post(parcels[i]);
        const bool failed = receipts[i].answer == Answer::kRetry || receipts[i].answer == Answer::kUnknown;
        if (failed) {
          ++failures;
        } else {
          failures = 0;
        }
      }
    };
    std::vector<std::jthread> threads;
    for (std::size_t t = 1; t < std::min(options_.workers, parcels.size()); ++t) {
      threads.emplace_back(work);
    }
    work();
    threads.clear();  // joins
    return receipts;
  }

 private:
  static net::ClientOptions client_options(const WebhookOptions& options) {
    net::ClientOptions out;
    out.body_bytes_max = 4096;  // nobody reads it
    out.idle_handles_max = options.workers;
    return out;
  }

  // "v1,…" of every secret: during a rotation the other side may know either.
  std::string signature(const std::string& signed_text) const {
    std::string out;
    for (const auto& secret : secrets_) {
      out += (out.empty() ? "v1," : " v1,") + base::to_base64(privacy::hmac_sha256(secret, signed_text));
    }
    return out;
  }

  Receipt post(const Parcel& parcel) const {
    const base::Instant now = options_.clock->now();
    const std::string seconds = std::to_string(now.ms / base::kSecondMs);
    net::HttpRequest request;
    request.url = options_.url;
    request.timeout_ms = options_.timeout_ms;
    request.allow_private_addresses = options_.allow_private_addresses;
    request.body = R"({"type":"promotion","data":)" + parcel.payload + "}";  // no clock in it: a repeat has the same bytes
    request.headers = {{"content-type", "application/json"},
                       {"webhook-id", parcel.id},
                       {"webhook-timestamp", seconds},
                       {"webhook-signature", signature(parcel.id + "." + seconds + "." + request.body)},
                       {"idempotency-key", parcel.id}};
    const auto response = client_.post(std::move(request));
    if (!response.ok()) {
      return {Answer::kRetry, response.error().message, 0};  // nothing was sent, for certain
    }
    return judge(*response, now);
  }

  static Receipt judge(const net::HttpResponse& response, base::Instant now) {
    const int status = response.status;
    if (status == 0) {
      return {Answer::kUnknown, response.problem, 0};
    }
    if (status >= 200 && status < 300) {
      return {};
    }
    const std::string reason = "status " + std::to_string(status);
    if (status == 410) {
      return {Answer::kRefused, reason + ": the endpoint is gone: name another url", 0};
    }
    if (status < 400) {
      return {Answer::kRefused, reason + ": redirects are not followed: write the final address as url", 0};
    }
    // 401: the secret is wrong, not the message. 409: a repeat of the same key is being worked on.
    const bool passes = status == 401 || status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
    if (!passes) {
      return {Answer::kRefused, reason, 0};
    }
    const std::string hint = status == 401 ? ": the endpoint does not accept the signature: compare the secrets" : "";
    return {Answer::kRetry, reason + hint, retry_after_ms(std::string(response.header("retry-after")), now)};
  }

  WebhookOptions options_;
  std::vector<std::string> secrets_;
  net::HttpClient client_;
};

}  // namespace

base::Result<std::unique_ptr<Transport>> open_webhook_transport(const WebhookOptions& options) {
  BECKON_CHECK(options.clock != nullptr);
  BECKON_TRY(const net::UrlParts url, net::parse_url(options.url));
  if (url.scheme != "https" && !options.allow_private_addresses) {
    return base::invalid_argument("url must start with https://: messages name their recipients (http:// only together with "
                                  "allow_private_addresses = true)");
  }
  const bool numeric = url.host.find(':') != std::string::npos || url.host.find_first_not_of("0123456789.") == std::string::npos;
  if (numeric && !options.allow_private_addresses && !net::is_public_address(url.host)) {
    return base::Error{base::ErrorCode::kPermissionDenied, "url leads to " + url.host +
                                                               ", which is not public: name a public host, or set allow_private_addresses = true"};
  }
  if (options.workers < 1 || options.workers > 64 || options.timeout_ms < 1) {
    return base::invalid_argument("webhook: workers must be 1 to 64 and the timeout at least 1 ms");
  }
  BECKON_TRY(auto secrets, read_secrets(options.secret));
  return std::unique_ptr<Transport>(std::make_unique<WebhookTransport>(options, std::move(secrets)));
}

}  // namespace beckon::deliver
