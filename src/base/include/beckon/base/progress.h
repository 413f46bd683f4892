#pragma once
// Progress of long work: a bar with rate and time left on a terminal, a line every few seconds otherwise.

#include <cstdint>
#include <cstdio>
#include <string>

#include "beckon/base/clock.h"

namespace beckon::base {

enum class ProgressMode { kAuto, kQuiet };

struct ProgressOptions {
  std::string label;
  std::string unit;         ///< "events", "steps"
  std::int64_t total = 0;   ///< 0: unknown
  ProgressMode mode = ProgressMode::kAuto;
};

/// Not thread-safe. Writes to stderr; finish() (or the destructor) ends the line.
class Progress {
 public:
  Progress(ProgressOptions options, const Clock& clock);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::int64_t done, const std::string& note = {});
  void set_total(std::int64_t total) { options_.total = total; }
  void finish();

 private:
  void draw(std::int64_t now_ms, const std::string& note);
  ProgressOptions options_;
  const Clock& clock_;
  std::int64_t started_ms_;
  std::int64_t drawn_ms_;
  std::int64_t done_ = 0;
  bool terminal_;
  bool shown_ = false;
  bool finished_ = false;
};

/// "1,234,567", "3.2 s", "4 min 05 s": shared by progress lines and tables.
std::string with_thousands(std::int64_t value);
std::string human_duration(std::int64_t ms);

}  // namespace beckon::base
