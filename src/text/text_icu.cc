// The only user of ICU.
#include <unicode/brkiter.h>
#include <unicode/datefmt.h>
#include <unicode/normalizer2.h>
#include <unicode/numberformatter.h>
#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <map>
#include <memory>
#include <mutex>

#include "beckon/text/text.h"

namespace beckon::text {
namespace {

icu::Locale locale_of(std::string_view language) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Locale locale =
      icu::Locale::forLanguageTag(icu::StringPiece(language.data(), static_cast<std::int32_t>(language.size())), status);
  return U_SUCCESS(status) ? locale : icu::Locale::getRoot();
}

std::string to_utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

icu::UnicodeString from_utf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

// Building a formatter costs 50 µs, using one 2 µs: kept per language and currency.
const icu::number::LocalizedNumberFormatter& money_formatter(std::string_view language, std::string_view currency) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, icu::number::LocalizedNumberFormatter> cache;
  const std::lock_guard lock(mutex);
  const std::pair key{std::string(language), std::string(currency)};
  const auto found = cache.find(key);
  if (found != cache.end()) {
    return found->second;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::CurrencyUnit unit(icu::StringPiece(key.second), status);
  auto formatter = icu::number::NumberFormatter::with()
                       .unit(unit)
                       .unitWidth(UNUM_UNIT_WIDTH_NARROW)
                       .locale(locale_of(language));
  return cache.emplace(key, std::move(formatter)).first->second;
}

// Grapheme boundaries: calls `at(count, utf16_position)` after each until it answers false.
template <class At>
void each_grapheme(const icu::UnicodeString& text, const At& at) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) {
    return;
  }
  breaks->setText(text);
  std::size_t count = 0;
  breaks->first();
  for (std::int32_t end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
    if (!at(++count, end)) {
      return;
    }
  }
}

}  // namespace

std::string format_money(const base::Money& money, std::string_view language) {
  UErrorCode status = U_ZERO_ERROR;
  const base::Currency currency = money.currency();
  const auto formatted = money_formatter(language, currency.code()).formatDecimal(money.amount_string(), status);
  const icu::UnicodeString text = formatted.toString(status);
  return U_SUCCESS(status) ? to_utf8(text) : money.to_string();
}

std::string format_percent(std::int64_t basis_points, std::string_view language) {
  UErrorCode status = U_ZERO_ERROR;
  const auto formatted = icu::number::NumberFormatter::withLocale(locale_of(language))
                             .unit(icu::MeasureUnit::getPercent())
                             .precision(icu::number::Precision::maxFraction(2))
                             .formatDouble(static_cast<double>(basis_points) / 100.0, status);
  const icu::UnicodeString text = formatted.toString(status);
  return U_SUCCESS(status) ? to_utf8(text) : std::to_string(basis_points / 100) + "%";
}

std::string format_date(base::Instant at, const base::Zone& zone, std::string_view language) {
  const icu::Locale locale = locale_of(language);
  const std::unique_ptr<icu::DateFormat> format(icu::DateFormat::createDateInstance(icu::DateFormat::kLong, locale));
  if (format == nullptr) {
    return base::format_date(at);
  }
  // The zone comes from base, so that every date in the program follows the same tzdata: format the local time as if in UTC.
  format->setTimeZone(*icu::TimeZone::getGMT());
  const base::LocalTime local = zone.to_local(at);
  icu::UnicodeString out;
  format->format(static_cast<UDate>(local.day_number() * base::kDayMs), out);
  return to_utf8(out);
}

std::string fold(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* folding = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) {
    return std::string(text);
  }
  const icu::UnicodeString out = folding->normalize(from_utf8(text), status);
  return U_SUCCESS(status) ? to_utf8(out) : std::string(text);
}

std::size_t grapheme_count(std::string_view text) {
  std::size_t total = 0;
  each_grapheme(from_utf8(text), [&](std::size_t count, std::int32_t) {
    total = count;
    return true;
  });
  return total;
}

std::string shorten(std::string_view text, std::size_t graphemes_max) {
  const icu::UnicodeString all = from_utf8(text);
  std::int32_t cut = 0;
  std::size_t total = 0;
  each_grapheme(all, [&](std::size_t count, std::int32_t end) {
    total = count;
    if (count + 1 <= graphemes_max) {
      cut = end;  // leaves room for the mark
    }
    return count <= graphemes_max;
  });
  return total <= graphemes_max ? std::string(text) : to_utf8(all.tempSubString(0, cut)) + "…";
}

std::string primary_language(std::string_view tag) { return std::string(tag.substr(0, tag.find_first_of("-_"))); }

}  // namespace beckon::text
