#pragma once
// JSON values (RFC 8259) with keys in insertion order. Input at volume goes through simdjson in `events`.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "beckon/base/result.h"

namespace beckon::base {

using Json = nlohmann::ordered_json;

/// Parses one value; error says where. Duplicate keys: the last wins.
Result<Json> parse_json(std::string_view text);
/// One line; bytes that are not UTF-8 are replaced by U+FFFD.
std::string to_line(const Json& value);
/// Indented by two blanks.
std::string to_pretty(const Json& value);

/// The member as text/number, or the fallback when absent or of another type.
std::string string_or(const Json& object, std::string_view key, std::string fallback = {});
std::int64_t int_or(const Json& object, std::string_view key, std::int64_t fallback = 0);
double real_or(const Json& object, std::string_view key, double fallback = 0);
bool bool_or(const Json& object, std::string_view key, bool fallback = false);

}  // namespace beckon::base
