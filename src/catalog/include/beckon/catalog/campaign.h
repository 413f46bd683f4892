#pragma once
// A campaign: to whom, what may be offered, through which channels, with which money, and how its effect is measured.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/ids.h"
#include "beckon/base/money.h"
#include "beckon/base/result.h"
#include "beckon/catalog/config.h"

namespace beckon::catalog {

enum class OfferKind : std::uint8_t { kNone = 0, kPercentOff = 1, kMoneyOff = 2, kFreeShipping = 3, kPoints = 4 };
std::string_view to_text(OfferKind kind);

struct Offer {
  base::OfferId id;
  OfferKind kind = OfferKind::kNone;
  std::int64_t depth_bp = 0;             ///< percent off, in basis points
  base::Money amount;                    ///< money off, shipping fee waived, value of the points
  std::string code;                      ///< what the customer types; empty: applied by the link
  std::int64_t quantity_max = 0;         ///< coupons; 0: no limit
  std::int64_t valid_days = 7;           ///< after the message is sent
  std::vector<std::string> categories;   ///< category prefixes it is good for; empty: all
  /// What one redemption on a piece of this price costs the shop at worst, rounded up, never more than the price.
  base::Money face_cost(const base::Money& unit_price) const;
  /// What the customer then pays for a piece.
  base::Money price_after(const base::Money& unit_price) const;
};

enum class BudgetBasis : std::uint8_t { kFace = 0, kExpected = 1 };
std::string_view to_text(BudgetBasis basis);

struct Budget {
  std::string id;
  base::Money amount;
  BudgetBasis basis = BudgetBasis::kFace;
  std::vector<std::string> offers;       ///< ids it pays for; empty: all
};

enum class Strategy : std::uint8_t { kValue = 0, kThreshold = 1, kPopular = 2, kRandom = 3 };
std::string_view to_text(Strategy strategy);
base::Result<Strategy> parse_strategy(std::string_view text);

struct Audience {
  std::int64_t active_within_days = 365;  ///< an event within so many days before the plan
  std::int64_t purchases_min = 0;
  std::vector<std::string> countries;     ///< empty: all
  std::vector<std::string> languages;
};

struct ItemFilter {
  std::vector<std::string> categories;          ///< category prefixes; empty: all
  std::vector<std::string> categories_excluded;
  std::int64_t top = 200;                       ///< most bought of the last 90 days; 0: no limit
  std::int64_t per_customer = 10;               ///< best items per customer that become candidates
  std::int64_t margin_bp_min = 0;               ///< margin after the discount, of the price
};

/// Business as usual: customers who get what the shop would do without beckon, so that the two can be compared.
struct Usual {
  double share = 0;
  Strategy strategy = Strategy::kPopular;  ///< threshold, popular or random
  std::string list;  ///< CSV of what the old tool chose: customer, item and, where it said so, offer and channel; empty: `strategy` chooses
};

/// What the campaign will be judged by, once. Kept in the plan, so that nobody can choose it after the start.
struct Judgement {
  std::string metric = "margin";    ///< conversion, revenue or margin, per customer
  std::int64_t horizon_days = 0;    ///< after the plan; never shorter than attribution_days
};

struct Campaign {
  base::CampaignId id;
  std::string name;
  std::string period = "1";              ///< part of every delivery id: a new period may send again
  std::string market;
  base::Instant starts;
  base::Instant ends;
  Strategy strategy = Strategy::kValue;
  double threshold = 0.5;                ///< strategy "threshold": predicted click probability above which the first offer goes out
  std::vector<std::string> channels;
  std::vector<int> hours;                ///< local hours at which a message may leave; empty: as soon as quiet hours allow
  double holdout_share = 0.10;           ///< of the customers outside the shop's global holdout, as the other shares
  double random_share = 0.05;
  bool random_share_stated = false;      ///< else a shop without randomised data of its own starts with its random_share_first
  Usual usual;
  Judgement judgement;
  std::int64_t messages_max = 1;         ///< per customer
  std::int64_t attribution_days = 7;
  std::int64_t seed = 1;                 ///< of the random share
  std::string template_id = "standard";
  Audience audience;
  ItemFilter items;
  std::vector<Offer> offers;
  std::vector<Budget> budgets;

  const Offer* offer(const base::OfferId& offer_id) const;
};

/// Reads a campaign file; refuses unknown keys, channels and offers that do not exist, and budgets in another currency.
base::Result<Campaign> load_campaign(std::string_view text, const std::string& file, const Shop& shop);

}  // namespace beckon::catalog
