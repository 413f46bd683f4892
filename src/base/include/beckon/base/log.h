#pragma once
// Structured log lines (key=value) on stderr or in a file. Never pass personal data; pseudonyms are fine.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace beckon::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

using LogField = std::pair<std::string_view, std::string>;

/// Thread-safe. Default level: warning.
void set_log_level(LogLevel level);
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kInfo, message, fields);
}
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kWarning, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kError, message, fields);
}

}  // namespace beckon::base
