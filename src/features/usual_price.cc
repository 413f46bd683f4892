#include "beckon/features/usual_price.h"

#include <algorithm>
#include <limits>

namespace beckon::features {
namespace {

constexpr std::size_t kDays = 14;

std::int32_t day_of(base::Instant at) { return static_cast<std::int32_t>(at.ms / base::kDayMs); }

std::uint32_t clamped(std::int64_t minor) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(minor, std::numeric_limits<std::uint32_t>::max()));
}

// Of an even number the higher middle: half of the days on offer do not make the offer usual.
std::uint32_t median(std::vector<std::uint32_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string UsualPrices::key_of(const std::string& item, const base::Money& unit_price) {
  if (unit_price.currency().empty() || unit_price.minor() <= 0) {
    return {};
  }
  const base::Currency currency = unit_price.currency();
  return std::string(currency.code()) + "|" + item;
}

UsualPrices::Point UsualPrices::add(const std::string& item, const base::Money& unit_price, base::Instant at) {
  const std::string key = key_of(item, unit_price);
  if (key.empty()) {
    return {};
  }
  const auto [found, added] = series_.try_emplace(key, static_cast<std::int32_t>(entries_.size()));
  if (added) {
    entries_.emplace_back();
  }
  const Point point{found->second, clamped(unit_price.minor())};
  entries_[static_cast<std::size_t>(point.series)].push_back({day_of(at), point.minor});
  return point;
}

UsualPrices::Point UsualPrices::point(const std::string& item, const base::Money& unit_price) const {
  const auto found = series_.find(key_of(item, unit_price));
  return found == series_.end() ? Point{} : Point{found->second, clamped(unit_price.minor())};
}

void UsualPrices::finish() {
  for (auto& entries : entries_) {
    std::ranges::sort(entries, {}, &Entry::day);
    std::vector<Entry> usual;
    std::vector<std::uint32_t> days;  // medians, in order
    for (std::size_t i = 0; i < entries.size();) {
      std::vector<std::uint32_t> prices;
      const std::int32_t day = entries[i].day;
      for (; i < entries.size() && entries[i].day == day; ++i) {
        prices.push_back(entries[i].minor);
      }
      days.push_back(median(std::move(prices)));
      const auto recent = std::min(kDays, days.size());
      usual.push_back({day, median({days.end() - static_cast<std::ptrdiff_t>(recent), days.end()})});
    }
    entries = std::move(usual);
  }
}

bool UsualPrices::below_usual(const Point& price, base::Instant at) const {
  if (price.series < 0) {
    return false;
  }
  const auto& usual = entries_[static_cast<std::size_t>(price.series)];
  const auto today = std::ranges::lower_bound(usual, day_of(at), {}, &Entry::day);
  return today != usual.begin() && std::uint64_t{price.minor} * 100 < std::uint64_t{std::prev(today)->minor} * 95;
}

}  // namespace beckon::features
