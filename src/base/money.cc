#include "beckon/base/money.h"

#include <algorithm>
#include <limits>

namespace beckon::base {
namespace {

__extension__ typedef __int128 Wide;  // products of two 64-bit numbers

struct CurrencyInfo {
  std::string_view code;
  int decimals;
};
// ISO 4217; currencies with other than two decimals and those most used in trade.
constexpr std::array<CurrencyInfo, 60> kCurrencies{{
    {"AED", 2}, {"ARS", 2}, {"AUD", 2}, {"BDT", 2}, {"BGN", 2}, {"BHD", 3}, {"BRL", 2}, {"CAD", 2},
    {"CHF", 2}, {"CLP", 0}, {"CNY", 2}, {"COP", 2}, {"CZK", 2}, {"DKK", 2}, {"EGP", 2}, {"EUR", 2},
    {"GBP", 2}, {"GHS", 2}, {"HKD", 2}, {"HUF", 2}, {"IDR", 2}, {"ILS", 2}, {"INR", 2}, {"IQD", 3},
    {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KES", 2}, {"KRW", 0}, {"KWD", 3}, {"KZT", 2}, {"LKR", 2},
    {"MAD", 2}, {"MOP", 2}, {"MXN", 2}, {"MYR", 2}, {"NGN", 2}, {"NOK", 2}, {"NZD", 2}, {"OMR", 3},
    {"PEN", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2}, {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2},
    {"RUB", 2}, {"SAR", 2}, {"SEK", 2}, {"SGD", 2}, {"THB", 2}, {"TND", 3}, {"TRY", 2}, {"TWD", 2},
    {"UAH", 2}, {"USD", 2}, {"VND", 0}, {"ZAR", 2},
}};

const CurrencyInfo* find_currency(std::string_view code) {
  const auto found =
      std::lower_bound(kCurrencies.begin(), kCurrencies.end(), code,
                       [](const CurrencyInfo& a, std::string_view b) { return a.code < b; });
  return found != kCurrencies.end() && found->code == code ? found : nullptr;
}

Result<std::int64_t> checked(Wide value) {
  if (value > std::numeric_limits<std::int64_t>::max() ||
      value < std::numeric_limits<std::int64_t>::min()) {
    return invalid_argument("amount does not fit 64 bits");
  }
  return static_cast<std::int64_t>(value);
}

// Digits of a decimal number without point or exponent: value = digits × 10^exponent.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

Result<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
    out.negative = text[i++] == '-';
  }
  bool point = false;
  std::size_t seen = 0;
  for (; i < text.size() && (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')); ++i) {
    if (text[i] == '.') {
      if (point) {
        return invalid_argument("amount has two decimal points");
      }
      point = true;
      continue;
    }
    out.digits.push_back(text[i]);
    out.exponent -= point ? 1 : 0;
    ++seen;
  }
  if (seen == 0 || seen > 60) {
    return invalid_argument("amount is not a number");
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    const bool down = i < text.size() && text[i] == '-';
    i += i < text.size() && (text[i] == '-' || text[i] == '+') ? 1 : 0;
    int power = 0;
    const std::size_t first = i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && power < 10'000; ++i) {
      power = power * 10 + (text[i] - '0');
    }
    if (i == first) {
      return invalid_argument("amount is not a number");
    }
    out.exponent += down ? -power : power;
  }
  if (i != text.size()) {
    return invalid_argument("amount is not a number");
  }
  return out;
}

}  // namespace

Result<Currency> Currency::parse(std::string_view code) {
  const CurrencyInfo* found = find_currency(code);
  if (found == nullptr) {
    return invalid_argument("unknown currency '" + std::string(code.substr(0, 12)) +
                            "': use an ISO 4217 code such as EUR");
  }
  Currency out;
  std::copy(found->code.begin(), found->code.end(), out.letters_.begin());
  return out;
}

int Currency::decimals() const {
  const CurrencyInfo* found = find_currency(code());
  return found == nullptr ? 2 : found->decimals;
}

Result<Money> Money::parse(std::string_view text, Currency currency) {
  BECKON_TRY(Decimal decimal, parse_decimal(text));
  int shift = decimal.exponent + currency.decimals();
  std::string digits = decimal.digits;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits == "0") {
    return Money(std::int64_t{0}, currency);
  }
  if (shift > 20) {
    return invalid_argument("amount does not fit 64 bits");
  }
  for (; shift > 0; --shift) {
    digits.push_back('0');
  }
  // Cut -shift digits off the end, rounding half to even.
  const auto cut = static_cast<std::size_t>(-shift);
  std::string dropped = cut >= digits.size() ? std::string(cut - digits.size(), '0') + digits
                                             : digits.substr(digits.size() - cut);
  std::string kept = cut >= digits.size() ? "0" : digits.substr(0, digits.size() - cut);
  if (kept.size() > 19) {
    return invalid_argument("amount does not fit 64 bits");
  }
  Wide minor = 0;
  for (const char c : kept) {
    minor = minor * 10 + (c - '0');
  }
  if (!dropped.empty()) {
    const bool tail = dropped.find_first_not_of('0', 1) != std::string::npos;
    if (dropped[0] > '5' || (dropped[0] == '5' && (tail || minor % 2 != 0))) {
      ++minor;
    }
  }
  BECKON_TRY(const std::int64_t value, checked(decimal.negative ? -minor : minor));
  return Money(value, currency);
}

Result<std::int64_t> multiply_divide(std::int64_t value,
                                     std::int64_t numerator,
                                     std::int64_t denominator,
                                     Rounding rounding) {
  if (denominator <= 0) {
    return invalid_argument("denominator must be positive");
  }
  const Wide product = static_cast<Wide>(value) * numerator;
  Wide quotient = product / denominator;
  Wide rest = product % denominator;
  if (rest < 0) {  // floor division
    rest += denominator;
    --quotient;
  }
  const bool half = rest * 2 == denominator;
  if ((rounding == Rounding::kUp && rest > 0) ||
      (rounding == Rounding::kHalfEven && (rest * 2 > denominator || (half && quotient % 2 != 0)))) {
    ++quotient;
  }
  return checked(quotient);
}

Result<Money> Money::plus(const Money& other) const {
  if (currency_ != other.currency_) {
    return invalid_argument("cannot add " + other.to_string() + " to " + to_string() +
                            ": convert with beckon rates first");
  }
  BECKON_TRY(const std::int64_t sum,
             checked(static_cast<Wide>(minor_) + other.minor_));
  return Money(sum, currency_);
}

Result<Money> Money::minus(const Money& other) const {
  if (other.minor_ == std::numeric_limits<std::int64_t>::min()) {
    return invalid_argument("amount does not fit 64 bits");
  }
  return plus(Money(-other.minor_, other.currency_));
}

Result<Money> Money::times(std::int64_t factor) const {
  BECKON_TRY(const std::int64_t product,
             checked(static_cast<Wide>(minor_) * factor));
  return Money(product, currency_);
}

Result<Money> Money::percent(std::int64_t basis_points, Rounding rounding) const {
  BECKON_TRY(const std::int64_t part, multiply_divide(minor_, basis_points, 10'000, rounding));
  return Money(part, currency_);
}

std::string Money::amount_string() const {
  const int decimals = currency_.decimals();
  const auto size = static_cast<std::uint64_t>(minor_);
  std::string digits = std::to_string(minor_ < 0 ? 0 - size : size);
  if (decimals > 0) {
    const auto places = static_cast<std::size_t>(decimals);
    if (digits.size() <= places) {
      digits.insert(0, places + 1 - digits.size(), '0');
    }
    digits.insert(digits.size() - places, ".");
  }
  return (minor_ < 0 ? "-" : "") + digits;
}

std::string Money::to_string() const {
  return currency_.empty() ? amount_string() : amount_string() + " " + std::string(currency_.code());
}

}  // namespace beckon::base
