#pragma once
// What of the sales so far will still come back: return rate by category, over the delay from purchase to refund (delay.h), so that last
// week's sales do not look better than those of last quarter. A line's pieces that came back together count as one, those kept as another.
// Const after the fit: thread-safe.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "beckon/events/events.h"
#include "beckon/measure/delay.h"

namespace beckon::measure {

using CategoryOf = std::map<std::string, std::string>;  ///< item → category; items without one share ""

/// Chance that what was bought and is still kept comes back.
class ReturnCurve {
 public:
  struct Category {
    std::int64_t lines = 0;
    std::int64_t returned = 0;
    double rate = 0;  ///< in the end, shrunk towards the shop's by 20 lines' worth of belief
  };

  /// Share of what this item sold that is still kept at this age and will come back: r(1 - F(age)) / (1 - r F(age)).
  double still_to_come(const std::string& item, std::int64_t age_ms) const;
  const DelayCurve& delay() const { return delay_; }
  const std::map<std::string, Category>& categories() const { return categories_; }
  double rate() const { return rate_; }

 private:
  friend class ReturnBook;
  DelayCurve delay_;
  CategoryOf category_of_;
  std::map<std::string, Category> categories_;
  double rate_ = 0;
};

/// Purchases and what became of them. Filled person after person, read as of any moment up to the last one filled.
class ReturnBook {
 public:
  explicit ReturnBook(CategoryOf category_of) : category_of_(std::move(category_of)) {}
  /// One person's events by time.
  void add(std::span<const events::Event> window);
  /// What was known then. failed_precondition when fewer than 20 returns were: then nothing can be foreseen.
  base::Result<ReturnCurve> as_of(base::Instant moment) const;

  static constexpr std::int64_t kHorizonMs = 90 * base::kDayMs;  ///< later refunds are not foreseen
  static constexpr std::int64_t kLookBackMs = 365 * base::kDayMs;  ///< older purchases say nothing about now

 private:
  struct Part {
    std::int64_t at_ms = 0;
    std::int64_t returned_ms = Waiting::kNotYet;
    std::size_t category = 0;
  };
  std::size_t category(const std::string& item);

  CategoryOf category_of_;
  std::map<std::string, std::size_t> numbers_;
  std::vector<Part> parts_;
};

}  // namespace beckon::measure
