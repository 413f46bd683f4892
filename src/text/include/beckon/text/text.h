#pragma once
// How a language writes facts, and (ngrams.h) texts as vectors. Thread-safe. Languages are BCP 47 tags ("en", "zh", "en-GB"); unknown ones fall back to ICU's root.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "beckon/base/clock.h"
#include "beckon/base/money.h"

namespace beckon::text {

/// "£12.50", "¥1,250.00": exact, whatever the amount (no floating point on the way).
std::string format_money(const base::Money& money, std::string_view language);
/// 1,250 basis points → "12.5%".
std::string format_percent(std::int64_t basis_points, std::string_view language);
/// The local date in the zone: "3 March 2026", "2026年3月3日".
std::string format_date(base::Instant at, const base::Zone& zone, std::string_view language);

/// NFKC with case folded (UAX #15, UTS #10 C): for comparing, never for showing. Broken UTF-8 becomes U+FFFD.
std::string fold(std::string_view text);
/// User-perceived characters (UAX #29).
std::size_t grapheme_count(std::string_view text);
/// At most `graphemes_max` of them; what was cut is marked by "…".
std::string shorten(std::string_view text, std::size_t graphemes_max);
/// "zh-Hans-CN" → "zh".
std::string primary_language(std::string_view tag);

}  // namespace beckon::text
