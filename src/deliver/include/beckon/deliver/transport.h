#pragma once
// How messages leave. A transport says what it knows: accepted, try again, maybe sent, refused for good.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

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

}  // namespace beckon::deliver
