#include "beckon/base/progress.h"

#include <unistd.h>

#include <algorithm>

namespace beckon::base {
namespace {
constexpr std::int64_t kTerminalEveryMs = 200;
constexpr std::int64_t kLineEveryMs = 5000;
}  // namespace

std::string with_thousands(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t pos = digits.size(); pos > first + 3; pos -= 3) {
    digits.insert(pos - 3, ",");
  }
  return digits;
}

std::string human_duration(std::int64_t ms) {
  char buffer[48];
  const std::int64_t seconds = ms / 1000;
  if (ms < 10'000) {
    std::snprintf(buffer, sizeof buffer, "%.1f s", static_cast<double>(ms) / 1000);
  } else if (seconds < 120) {
    std::snprintf(buffer, sizeof buffer, "%lld s", static_cast<long long>(seconds));
  } else if (seconds < 7200) {
    std::snprintf(buffer, sizeof buffer, "%lld min %02lld s", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(buffer, sizeof buffer, "%lld h %02lld min", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60));
  }
  return buffer;
}

Progress::Progress(ProgressOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      started_ms_(clock.monotonic_ms()),
      drawn_ms_(started_ms_),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { finish(); }

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (options_.mode == ProgressMode::kQuiet ||
      now_ms - drawn_ms_ < (terminal_ ? kTerminalEveryMs : kLineEveryMs)) {
    return;
  }
  draw(now_ms, note);
}

void Progress::draw(std::int64_t now_ms, const std::string& note) {
  drawn_ms_ = now_ms;
  shown_ = true;
  const std::int64_t spent_ms = std::max<std::int64_t>(now_ms - started_ms_, 1);
  const auto rate = static_cast<std::int64_t>(static_cast<double>(done_) * 1000.0 /
                                              static_cast<double>(spent_ms));
  std::string line = options_.label + " ";
  if (options_.total > 0) {
    const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(options_.total), 0.0, 1.0);
    if (terminal_) {
      const auto filled = static_cast<std::size_t>(share * 24);
      line += "[" + std::string(filled, '#') + std::string(24 - filled, '.') + "] ";
    }
    line += std::to_string(static_cast<int>(share * 100)) + " % ";
  }
  line += with_thousands(done_) + " " + options_.unit + ", " + with_thousands(rate) + "/s";
  if (options_.total > done_ && done_ > 0) {
    const double left = static_cast<double>(options_.total - done_) / static_cast<double>(done_);
    line += ", " + human_duration(static_cast<std::int64_t>(left * static_cast<double>(spent_ms))) + " left";
  }
  line += note.empty() ? "" : "  " + note;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
}

void Progress::finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  if (shown_ && terminal_) {
    std::fprintf(stderr, "\r\033[K");
  }
}

}  // namespace beckon::base
