#pragma once
// Instants are UTC milliseconds. Wall clock only through Clock; local time only where a zone is named.

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "beckon/base/result.h"

namespace beckon::base {

/// Milliseconds since 1970-01-01T00:00:00Z.
struct Instant {
  std::int64_t ms = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
  Instant plus_ms(std::int64_t by) const { return {ms + by}; }
};

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  /// For durations; never steps back.
  virtual std::int64_t monotonic_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  std::int64_t monotonic_ms() const override;
};

/// Stands still until moved. Used by tests and by --as-of. Not thread-safe while it is being moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start) : now_(start) {}
  Instant now() const override { return now_; }
  std::int64_t monotonic_ms() const override { return now_.ms; }
  void advance_ms(std::int64_t by_ms) { now_.ms += by_ms; }
  void set(Instant now) { now_ = now; }

 private:
  Instant now_;
};

struct LocalTime {
  int year = 1970;
  int month = 1;    ///< 1–12
  int day = 1;      ///< 1–31
  int hour = 0;     ///< 0–23
  int minute = 0;   ///< 0–59
  int second = 0;
  int weekday = 0;  ///< 0 Sunday – 6 Saturday
  std::int64_t day_number() const;  ///< days since 1970-01-01 of the local date
};

/// A named IANA zone ("Europe/Berlin"). Cheap to copy, thread-safe.
class Zone {
 public:
  static Result<Zone> find(std::string_view name);
  static Zone utc();
  LocalTime to_local(Instant at) const;
  /// Local wall time → instant. A time that a clock change skips moves forward; one that occurs twice is the first.
  Instant to_instant(const LocalTime& local) const;
  const std::string& name() const { return name_; }

 private:
  Zone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  const void* zone_;
};

/// RFC 3339 with offset or Z, "YYYY-MM-DD[ T]HH:MM[:SS[.fff]]" or "YYYY-MM-DD". Without offset the time is read in `zone`.
Result<Instant> parse_time(std::string_view text, const Zone& zone);
/// "2026-01-31T09:05:07.123Z"; the milliseconds are left out when 0.
std::string format_time(Instant at);
/// "2026-01-31" of the UTC date.
std::string format_date(Instant at);

}  // namespace beckon::base
