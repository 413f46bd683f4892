#pragma once
// What an item usually costs, from what was paid and shown up to then.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/money.h"

namespace beckon::features {

/// add() everything, then finish(), then ask. Const members are thread-safe. Prices beyond 4,294,967,295 minor units count as that.
class UsualPrices {
 public:
  /// One price of an item; `series` names item and currency, -1 when there is no price.
  struct Point {
    std::int32_t series = -1;
    std::uint32_t minor = 0;
  };
  Point add(const std::string& item, const base::Money& unit_price, base::Instant at);
  void finish();
  /// The point of a price that is not added.
  Point point(const std::string& item, const base::Money& unit_price) const;
  /// Whether the price is more than 5 % below the usual one: the median over the last 14 days before that of `at` on which the item
  /// had a price, of each day's median. Nothing later than the day before is looked at; without such a day: not.
  bool below_usual(const Point& price, base::Instant at) const;

 private:
  struct Entry {
    std::int32_t day = 0;
    std::uint32_t minor = 0;
  };
  static std::string key_of(const std::string& item, const base::Money& unit_price);
  std::unordered_map<std::string, std::int32_t> series_;
  std::vector<std::vector<Entry>> entries_;  ///< until finish(): every price; then one a day: the usual price after that day
};

}  // namespace beckon::features
