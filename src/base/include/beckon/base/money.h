#pragma once
// Money: integer minor units of an ISO 4217 currency. No floating point, checked arithmetic, stated rounding.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "beckon/base/result.h"

namespace beckon::base {

/// ISO 4217 code of three capital letters, e.g. "EUR". Default: none ("").
class Currency {
 public:
  Currency() = default;
  /// Refuses codes that are not in the list of currencies with a known number of decimals.
  static Result<Currency> parse(std::string_view code);
  /// A view into this object: not for temporaries.
  std::string_view code() const& { return {letters_.data(), letters_[0] == '\0' ? 0U : 3U}; }
  std::string_view code() const&& = delete;
  bool empty() const { return letters_[0] == '\0'; }
  /// Decimals of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
  int decimals() const;
  friend auto operator<=>(const Currency&, const Currency&) = default;

 private:
  std::array<char, 3> letters_{};
};

enum class Rounding { kDown, kUp, kHalfEven };

class Money {
 public:
  Money() = default;
  Money(std::int64_t minor, Currency currency) : minor_(minor), currency_(currency) {}
  template <class T>
  Money(T, Currency) = delete;  // a double (or a narrower or unsigned integer) must be converted on purpose
  Money(int minor, Currency currency) : minor_(minor), currency_(currency) {}
  Money(long long minor, Currency currency) : minor_(minor), currency_(currency) {}

  /// Reads "12.5", "-3", "1e2", "4.440892e-16" exactly; more decimals than the currency has are rounded half to even.
  static Result<Money> parse(std::string_view text, Currency currency);

  std::int64_t minor() const { return minor_; }
  const Currency& currency() const { return currency_; }
  bool is_zero() const { return minor_ == 0; }
  bool is_negative() const { return minor_ < 0; }

  /// Overflow and mixed currencies are errors, never wrap.
  Result<Money> plus(const Money& other) const;
  Result<Money> minus(const Money& other) const;
  Result<Money> times(std::int64_t factor) const;
  /// This × basis_points / 10,000, in 128-bit arithmetic. 1,500 basis points are 15 %.
  Result<Money> percent(std::int64_t basis_points, Rounding rounding) const;

  /// "12.50 EUR", without locale. For people use text::format_money.
  std::string to_string() const;
  /// "12.50"
  std::string amount_string() const;

  friend bool operator==(const Money&, const Money&) = default;

 private:
  std::int64_t minor_ = 0;
  Currency currency_;
};

/// value × numerator / denominator with stated rounding; error on overflow or denominator 0.
Result<std::int64_t> multiply_divide(std::int64_t value,
                                     std::int64_t numerator,
                                     std::int64_t denominator,
                                     Rounding rounding);

}  // namespace beckon::base
