#include "discount.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace beckon::events {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Share {
  LineItem* line;
  std::int64_t weight;
};

}  // namespace

std::optional<Reject> read_discount(const std::string& text, const base::Currency& currency, std::optional<std::int64_t>& out_minor) {
  if (text.empty()) {
    return std::nullopt;
  }
  if (currency.empty()) {
    return Reject{"currency", "missing"};
  }
  const auto money = base::Money::parse(text, currency);
  if (!money.ok() || money->minor() == -kMost - 1) {
    return Reject{"discount", "impossible_value"};
  }
  out_minor = std::abs(money->minor());
  return std::nullopt;
}

std::optional<Reject> share_discount(std::int64_t total_minor, const base::Currency& currency, std::vector<LineItem>& lines) {
  std::int64_t rest_minor = total_minor;
  std::int64_t weight_left = 0;
  std::vector<Share> shares;
  for (auto& line : lines) {
    if (!line.unit_price.currency().empty() && line.unit_price.currency() != currency) {
      continue;  // its own discount is in its own currency
    }
    rest_minor -= std::min(rest_minor, line.discount_minor.value_or(0));
    const auto paid = line.unit_price.times(line.quantity);
    if (!paid.ok() || paid->minor() > kMost - weight_left) {
      return Reject{"price", "impossible_value"};
    }
    weight_left += paid->minor();
    shares.push_back({&line, paid->minor()});
  }
  if (weight_left == 0) {  // nothing was paid: all lines alike
    std::for_each(shares.begin(), shares.end(), [](Share& share) { share.weight = 1; });
    weight_left = static_cast<std::int64_t>(shares.size());
  }
  for (const auto& [line, weight] : shares) {  // each takes its share of what is left, so that nothing is left in the end
    const std::int64_t share_minor =
        weight_left == 0 ? 0 : base::multiply_divide(rest_minor, weight, weight_left, base::Rounding::kHalfEven).value();
    rest_minor -= share_minor;
    weight_left -= weight;
    const std::int64_t own_minor = line->discount_minor.value_or(0);
    if (own_minor > kMost - share_minor) {
      return Reject{"discount", "impossible_value"};
    }
    line->discount_minor = own_minor + share_minor;
  }
  return rest_minor == 0 ? std::nullopt : std::optional(Reject{"discount", "another_currency"});
}

}  // namespace beckon::events
