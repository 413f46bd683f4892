// The only user of the date library (time zones from the system's tzdata).
#include "beckon/base/clock.h"

#include <date/tz.h>

#include <chrono>
#include <cstdio>

namespace beckon::base {
namespace {

using Milliseconds = std::chrono::milliseconds;

// Reads exactly `width` digits at `pos`; -1 when they are not there.
int digits_at(std::string_view text, std::size_t pos, std::size_t width) {
  if (pos + width > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = pos; i < pos + width; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return -1;
    }
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Error bad_time(std::string_view text) {
  return invalid_argument("'" + std::string(text.substr(0, 40)) +
                          "' is not a time: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ");
}

std::int64_t day_number_of(int year, int month, int day) {
  return date::sys_days(date::year(year) / month / day).time_since_epoch().count();
}

const date::time_zone* as_zone(const void* zone) { return static_cast<const date::time_zone*>(zone); }

// "Z", "+01:00", "-0530" at `pos`: minutes east of UTC; nullopt-like flag by `found`.
bool parse_offset(std::string_view rest, int& minutes) {
  if (rest == "Z" || rest == "z") {
    minutes = 0;
    return true;
  }
  if (rest.size() < 3 || (rest[0] != '+' && rest[0] != '-')) {
    return false;
  }
  const int hour = digits_at(rest, 1, 2);
  const bool colon = rest.size() == 6 && rest[3] == ':';
  const int minute = rest.size() == 3 ? 0 : digits_at(rest, colon ? 4 : 3, 2);
  if (hour < 0 || hour > 18 || minute < 0 || minute > 59 ||
      (rest.size() != 3 && rest.size() != 5 && !colon)) {
    return false;
  }
  minutes = (hour * 60 + minute) * (rest[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

Instant SystemClock::now() const {
  // The one place that reads the wall clock.
  const auto since = std::chrono::system_clock::now().time_since_epoch();  // tidy: allow
  return {std::chrono::duration_cast<Milliseconds>(since).count()};
}

std::int64_t SystemClock::monotonic_ms() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Milliseconds>(since).count();
}

std::int64_t LocalTime::day_number() const { return day_number_of(year, month, day); }

Result<Zone> Zone::find(std::string_view name) {
  try {
    const auto* zone = date::locate_zone(std::string(name));
    return Zone(std::string(name), zone);
  } catch (const std::exception&) {
    return not_found("unknown time zone '" + std::string(name.substr(0, 60)) +
                     "': use an IANA name such as Europe/Berlin");
  }
}

Zone Zone::utc() {
  static const auto* kUtc = date::locate_zone("Etc/UTC");
  return Zone("UTC", kUtc);
}

LocalTime Zone::to_local(Instant at) const {
  const date::sys_time<Milliseconds> utc{Milliseconds(at.ms)};
  const auto local = as_zone(zone_)->to_local(utc);
  const auto day = date::floor<date::days>(local);
  const date::year_month_day ymd{day};
  const date::hh_mm_ss<Milliseconds> time{local - day};
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count()),
          static_cast<int>(date::weekday(day).c_encoding())};
}

Instant Zone::to_instant(const LocalTime& local) const {
  const date::local_time<Milliseconds> time{
      Milliseconds(local.day_number() * kDayMs + local.hour * kHourMs + local.minute * kMinuteMs +
                   local.second * kSecondMs)};
  return {as_zone(zone_)->to_sys(time, date::choose::earliest).time_since_epoch().count()};
}

Result<Instant> parse_time(std::string_view text, const Zone& zone) {
  LocalTime local;
  local.year = digits_at(text, 0, 4);
  local.month = digits_at(text, 5, 2);
  local.day = digits_at(text, 8, 2);
  if (text.size() < 10 || text[4] != '-' || text[7] != '-' ||
      !(date::year(local.year) / local.month / local.day).ok()) {
    return bad_time(text);
  }
  if (text.size() == 10) {
    return zone.to_instant(local);
  }
  local.hour = digits_at(text, 11, 2);
  local.minute = digits_at(text, 14, 2);
  std::size_t pos = 16;
  if ((text[10] != 'T' && text[10] != ' ' && text[10] != 't') || local.hour < 0 || local.hour > 23 ||
      local.minute < 0 || local.minute > 59 || text[13] != ':') {
    return bad_time(text);
  }
  if (pos < text.size() && text[pos] == ':') {
    local.second = digits_at(text, pos + 1, 2);
    if (local.second < 0 || local.second > 60) {
      return bad_time(text);
    }
    pos += 3;
  }
  std::int64_t fraction_ms = 0;
  if (pos < text.size() && (text[pos] == '.' || text[pos] == ',')) {
    ++pos;
    std::int64_t scale = 100;
    const std::size_t first = pos;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) {
      fraction_ms += (text[pos] - '0') * scale;
    }
    if (pos == first) {
      return bad_time(text);
    }
  }
  if (pos == text.size()) {
    return zone.to_instant(local).plus_ms(fraction_ms);
  }
  int offset_minutes = 0;
  const std::size_t blank = text[pos] == ' ' ? 1 : 0;  // "10:15:00 +0100", as shop systems export it
  if (!parse_offset(text.substr(pos + blank), offset_minutes)) {
    return bad_time(text);
  }
  const std::int64_t utc = local.day_number() * kDayMs + local.hour * kHourMs +
                           local.minute * kMinuteMs + local.second * kSecondMs;
  return Instant{utc - offset_minutes * kMinuteMs + fraction_ms};
}

std::string format_time(Instant at) {
  const LocalTime t = Zone::utc().to_local(at);
  char buffer[64];
  const auto ms = static_cast<int>(((at.ms % 1000) + 1000) % 1000);
  if (ms == 0) {
    std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month, t.day,
                  t.hour, t.minute, t.second);
  } else {
    std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.year, t.month,
                  t.day, t.hour, t.minute, t.second, ms);
  }
  return buffer;
}

std::string format_date(Instant at) { return format_time(at).substr(0, 10); }

}  // namespace beckon::base
