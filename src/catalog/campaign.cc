#include "beckon/catalog/campaign.h"

#include <algorithm>
#include <array>
#include <span>

namespace beckon::catalog {
namespace {

constexpr std::array<std::string_view, 5> kKinds{"none", "percent_off", "money_off", "free_shipping", "points"};
constexpr std::array<std::string_view, 4> kStrategies{"value", "threshold", "popular", "random"};

std::vector<std::string> texts_of(std::span<const std::string_view> names) { return {names.begin(), names.end()}; }

Offer read_offer(base::TomlTable& table, const Market& market) {
  Offer offer;
  offer.id = base::OfferId(table.required_text("id"));
  const std::string kind = table.choice("kind", texts_of(kKinds), "none");
  offer.kind = static_cast<OfferKind>(std::find(kKinds.begin(), kKinds.end(), kind) - kKinds.begin());
  offer.depth_bp = static_cast<std::int64_t>(table.real("percent", 0, {0, 100}) * 100 + 0.5);
  offer.amount = money_of(table, "amount", market.currency);
  offer.code = table.text("code");
  offer.quantity_max = table.integer("quantity", 0, {0, 1e12});
  offer.valid_days = table.integer("valid_days", 7, {1, 366});
  offer.categories = table.texts("categories");
  if (offer.kind == OfferKind::kPercentOff && offer.depth_bp == 0) {
    table.fail("percent", "is missing: an offer of kind percent_off needs percent = 10 or the like");
  }
  const bool needs_amount = offer.kind == OfferKind::kMoneyOff || offer.kind == OfferKind::kFreeShipping ||
                            offer.kind == OfferKind::kPoints;
  if (needs_amount && offer.amount.is_zero()) {
    table.fail("amount", "is missing: what one redemption costs, e.g. amount = \"5.00\"");
  }
  return offer;
}

Budget read_budget(base::TomlTable& table, const Market& market, const std::vector<Offer>& offers) {
  Budget budget;
  budget.id = table.text("id", "main");
  budget.amount = money_of(table, "amount", market.currency);
  if (!table.has("amount")) {
    table.fail("amount", "is missing: the most this campaign may spend, e.g. amount = \"500.00\"");
  }
  budget.basis = table.choice("basis", {"face", "expected"}, "face") == "face" ? BudgetBasis::kFace : BudgetBasis::kExpected;
  budget.offers = table.texts("offers");
  for (const auto& id : budget.offers) {
    if (std::none_of(offers.begin(), offers.end(), [&](const Offer& o) { return o.id.str() == id; })) {
      table.fail("offers", "names '" + id + "', which is no offer of this campaign");
    }
  }
  return budget;
}

void read_audience(base::TomlTable table, Audience& audience) {
  audience.active_within_days = table.integer("active_within_days", audience.active_within_days, {1, 36500});
  audience.purchases_min = table.integer("purchases_min", 0, {0, 1e9});
  audience.countries = table.texts("countries");
  audience.languages = table.texts("languages");
}

void read_items(base::TomlTable table, ItemFilter& items) {
  items.categories = table.texts("categories");
  items.categories_excluded = table.texts("categories_excluded");
  items.top = table.integer("top", items.top, {0, 1e7});
  items.per_customer = table.integer("per_customer", items.per_customer, {1, 1000});
  items.margin_bp_min = static_cast<std::int64_t>(table.real("margin_share_min", 0, {0, 1}) * 10'000 + 0.5);
}

void read_head(base::TomlTable& table, const Shop& shop, Campaign& campaign) {
  const Market& market = shop.market(campaign.market);
  campaign.name = table.text("name", campaign.id.str());
  campaign.period = table.text("period", "1");
  campaign.starts = time_of(table, "starts", market);
  campaign.ends = time_of(table, "ends", market);
  if (campaign.ends <= campaign.starts) {
    table.fail("ends", "must lie after starts");
  }
  const std::string strategy = table.choice("strategy", texts_of(kStrategies), "value");
  campaign.strategy = parse_strategy(strategy).value_or(Strategy::kValue);
  campaign.threshold = table.real("threshold", 0.5, {0, 1});
  campaign.channels = table.texts("channels");
  if (campaign.channels.empty()) {
    table.fail("channels", "is missing: list at least one channel of beckon.toml");
  }
  for (const auto& id : campaign.channels) {
    if (!shop.channels.contains(id)) {
      std::vector<std::string> known;
      for (const auto& [name, channel] : shop.channels) {
        known.push_back(name);
      }
      const std::string near = base::nearest_word(id, known);
      table.fail("channels", "names '" + id + "', which beckon.toml has no [channel." + id + "] for" +
                                 (near.empty() ? "" : ": did you mean '" + near + "'?"));
    }
  }
  campaign.holdout_share = table.real("holdout_share", campaign.holdout_share, {0, 0.9});
  campaign.random_share_stated = table.has("random_share");
  campaign.random_share = table.real("random_share", campaign.random_share, {0, 1});
  campaign.messages_max = table.integer("messages_per_customer", 1, {1, 20});
  campaign.attribution_days = table.integer("attribution_days", 7, {1, 90});
  campaign.seed = table.integer("seed", 1, {0, 1e15});
  campaign.template_id = table.text("template", campaign.template_id);
}

void read_usual(base::TomlTable table, Campaign& campaign) {
  Usual& usual = campaign.usual;
  usual.share = table.real("share", 0, {0, 0.9});
  usual.strategy = parse_strategy(table.choice("strategy", {"threshold", "popular", "random"}, "popular")).value_or(usual.strategy);
  usual.list = table.text("list");
  if (!usual.list.empty() && table.has("strategy")) {
    table.fail("list", "and strategy exclude each other: either the old tool's list says what these customers get, or a strategy does");
  }
  if (campaign.holdout_share + campaign.random_share + usual.share > 1) {
    table.fail("share", "adds up to more than 1 with holdout_share and random_share of [campaign]");
  }
}

void read_judgement(base::TomlTable table, Campaign& campaign) {
  campaign.judgement.metric = table.choice("metric", {"margin", "revenue", "conversion"}, "margin");
  campaign.judgement.horizon_days = table.integer("horizon_days", campaign.attribution_days, {1, 730});
  if (campaign.judgement.horizon_days < campaign.attribution_days) {
    table.fail("horizon_days", "must not be shorter than attribution_days");
  }
}

void read_hours(base::TomlTable& table, Campaign& campaign) {
  const auto hours = table.texts("hours");
  campaign.hours.clear();
  for (const auto& text : hours) {
    const bool two_digits = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == std::string::npos;
    if (!two_digits || std::stoi(text) > 23) {
      table.fail("hours", "must be a list of hours, e.g. [\"9\", \"18\"]");
      return;
    }
    campaign.hours.push_back(std::stoi(text));
  }
}

}  // namespace

std::string_view to_text(OfferKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view to_text(Strategy strategy) { return kStrategies.at(static_cast<std::size_t>(strategy)); }
std::string_view to_text(BudgetBasis basis) { return basis == BudgetBasis::kFace ? "face" : "expected"; }

base::Result<Strategy> parse_strategy(std::string_view text) {
  const auto found = std::find(kStrategies.begin(), kStrategies.end(), text);
  if (found == kStrategies.end()) {
    return base::invalid_argument("unknown strategy '" + std::string(text) + "': use value, threshold, popular or random");
  }
  return static_cast<Strategy>(found - kStrategies.begin());
}

base::Money Offer::face_cost(const base::Money& unit_price) const {
  std::int64_t cost_minor = 0;
  if (kind == OfferKind::kPercentOff) {
    const auto share = unit_price.percent(depth_bp, base::Rounding::kUp);
    cost_minor = share.ok() ? share->minor() : unit_price.minor();
  } else if (kind != OfferKind::kNone) {
    cost_minor = amount.minor();
  }
  // Free shipping and points cost their amount whatever the price; a price can only be lowered to nothing.
  const bool lowers_price = kind == OfferKind::kPercentOff || kind == OfferKind::kMoneyOff;
  return {lowers_price ? std::min(cost_minor, unit_price.minor()) : cost_minor, unit_price.currency()};
}

base::Money Offer::price_after(const base::Money& unit_price) const {
  const bool lowers_price = kind == OfferKind::kPercentOff || kind == OfferKind::kMoneyOff;
  return lowers_price ? base::Money(unit_price.minor() - face_cost(unit_price).minor(), unit_price.currency()) : unit_price;
}

const Offer* Campaign::offer(const base::OfferId& offer_id) const {
  const auto found = std::find_if(offers.begin(), offers.end(), [&](const Offer& o) { return o.id == offer_id; });
  return found == offers.end() ? nullptr : &*found;
}

base::Result<Campaign> load_campaign(std::string_view text, const std::string& file, const Shop& shop) {
  BECKON_TRY(base::TomlTable root, base::TomlTable::parse(text, file));
  Campaign campaign;
  base::TomlTable table = root.table("campaign");
  campaign.id = base::CampaignId(table.required_text("id"));
  campaign.market = table.text("market", shop.default_market().id);
  read_head(table, shop, campaign);
  read_hours(table, campaign);
  read_audience(root.table("audience"), campaign.audience);
  read_items(root.table("items"), campaign.items);
  read_usual(root.table("usual"), campaign);
  read_judgement(root.table("measure"), campaign);
  const Market& market = shop.market(campaign.market);
  for (auto& own : root.tables("offer")) {
    campaign.offers.push_back(read_offer(own, market));
  }
  if (campaign.offers.empty()) {
    root.fail("offer", "is missing: write at least one [[offer]]; kind = \"none\" only recommends");
  }
  for (auto& own : root.tables("budget")) {
    campaign.budgets.push_back(read_budget(own, market, campaign.offers));
  }
  if (campaign.budgets.empty()) {
    root.fail("budget", "is missing: write a [[budget]] with the most this campaign may spend");
  }
  BECKON_TRY_STATUS(root.finish());
  return campaign;
}

}  // namespace beckon::catalog
