#pragma once
// How messages leave. A transport says what it knows: accepted, try again, maybe sent, refused for good.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/filesystem.h"
#include "beckon/base/result.h"

namespace beckon::deliver {

/// What leaves: the id never changes for a message, nor do the bytes.
struct Parcel {
  std::string id;
  std::string payload;   ///< one JSON line, without the line end
  std::string campaign;
};

enum class Answer : std::uint8_t { kAccepted, kRetry, kUnknown, kRefused };

struct Receipt {
  Answer answer = Answer::kAccepted;
  std::string reason;            ///< for every answer but kAccepted
  std::int64_t retry_after_ms = 0;
};

/// Not thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  /// One answer per parcel, in order.
  virtual std::vector<Receipt> send(std::span<const Parcel> parcels) = 0;
  /// After a crash: which of these ids had already left? Empty when the transport cannot know.
  virtual base::Result<std::set<std::string>> already_sent(const std::set<std::string>& ids) {
    (void)ids;
    return std::set<std::string>();
  }
};

/// Appends JSON lines to a file and syncs once per batch. A torn last line of a crash is cut off when the file is opened.
base::Result<std::unique_ptr<Transport>> open_file_transport(base::FileSystem& files, const std::string& path);

struct WebhookOptions {
  std::string url;                       ///< https; http only together with allow_private_addresses
  std::string secret;                    ///< "whsec_" + base64, or raw text of 24 bytes or more; two, separated by a blank, while one
                                         ///< replaces the other: both sign
  bool allow_private_addresses = false;
  std::size_t workers = 8;               ///< requests on their way at once, 1 – 64
  std::int64_t timeout_ms = 15'000;      ///< of one request
  const base::Clock* clock = nullptr;    ///< of the timestamp in the header; outlives the transport
};

/// One POST per message, signed as Standard Webhooks 1.0.0 say (docs/formats/webhook.md). The body of a message is the same bytes on
/// every repeat, so that the other side can tell repeats by webhook-id, by Idempotency-Key or by comparing.
///   2xx accepted · 401, 408, 409, 425, 429, 5xx, not reached: retry, Retry-After is a floor · no answer: unknown
///   other 4xx, and 3xx (never followed): refused
/// After kWebhookFailuresMax failures in a row the rest of a batch is not tried: retry.
base::Result<std::unique_ptr<Transport>> open_webhook_transport(const WebhookOptions& options);
constexpr int kWebhookFailuresMax = 20;

}  // namespace beckon::deliver
