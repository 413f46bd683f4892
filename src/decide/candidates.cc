#include "candidates.h"

#include <algorithm>
#include <cmath>

namespace beckon::decide {
namespace {

bool in_categories(const catalog::Item& item, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return item.category.starts_with(prefix); });
}

std::int64_t margin_of(const catalog::Item& item, std::int64_t margin_bp) {
  const base::Money& price = item.current_price();
  if (item.cost.has_value()) {
    return price.minor() - item.cost->minor();
  }
  return price.percent(margin_bp, base::Rounding::kDown).value_or(base::Money()).minor();
}

// Measured where own groups measured it, else as stated; of the item's category where that is known apart.
double extra_share_of(const PlanInput& input, const Candidate& candidate) {
  const auto offer = static_cast<std::size_t>(candidate.offer);
  if (input.effects.empty()) {
    return input.shop->prior(std::string(catalog::to_text(input.campaign->offers[offer].kind))).extra_share;
  }
  const OfferEffect& effect = input.effects[offer];
  const auto own = effect.by_category.find(input.items[static_cast<std::size_t>(candidate.item)].top_category());
  return own == effect.by_category.end() ? effect.extra_share : own->second;
}

Candidate valued(const PlanInput& input, const Deal& deal, const Person& person, Candidate candidate) {
  const catalog::Offer& offer = input.campaign->offers[static_cast<std::size_t>(candidate.offer)];
  const auto& prior = input.shop->prior(std::string(catalog::to_text(offer.kind)));
  const auto& channel = input.shop->channels.at(person.permits[static_cast<std::size_t>(candidate.permit)].channel());
  candidate.click_probability = std::min(1.0, prior.click_probability * person.click_ratio);
  candidate.extra_share = extra_share_of(input, candidate);
  candidate.face_minor = deal.face_minor;
  candidate.send_cost_micro = channel.send_cost_micro;
  // Extra purchases: stated share × response. Those who would have bought anyway (buy_probability) take the discount too:
  // value = kept · [extra · (margin - face) - buy · face] - send cost; budgets are charged as if nothing came back.
  const double extra = std::min(1.0 - candidate.buy_probability,
                                candidate.buy_probability * candidate.extra_share * person.click_ratio);
  const double redemptions = candidate.buy_probability + extra;
  const auto face = static_cast<double>(deal.face_minor);
  const double gain = deal.kept_share * (extra * static_cast<double>(deal.margin_minor) - redemptions * face);
  candidate.expected_cost_micro = std::llround(redemptions * face * 1e6);
  candidate.value_micro = std::llround(gain * 1e6) - candidate.send_cost_micro;
  return candidate;
}

}  // namespace

int message_hour(const catalog::Campaign& campaign, int usual_hour) {
  if (campaign.hours.empty()) {
    return -1;  // any hour
  }
  if (usual_hour < 0) {
    return campaign.hours.front();
  }
  const auto distance = [&](int hour) {
    const int apart = std::abs(hour - usual_hour);
    return std::min(apart, 24 - apart);
  };
  return *std::min_element(campaign.hours.begin(), campaign.hours.end(),
                           [&](int a, int b) { return distance(a) < distance(b); });
}

std::vector<std::int32_t> usable_offers(const PlanInput& input) {
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < input.campaign->offers.size(); ++i) {
    if (input.shop->regulated.empty() || out.empty()) {
      out.push_back(static_cast<std::int32_t>(i));
    }
  }
  return out;
}

std::vector<std::int32_t> eligible_items(const PlanInput& input) {
  const catalog::ItemFilter& filter = input.campaign->items;
  const catalog::Market& market = input.shop->market(input.campaign->market);
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < input.items.size(); ++i) {
    const catalog::Item& item = input.items[i];
    const bool sellable = item.current_price().minor() > 0 && item.price.currency() == market.currency && item.stock.value_or(1) > 0 &&
                          (item.market.empty() || item.market == input.campaign->market);
    const bool wanted = (filter.categories.empty() || in_categories(item, filter.categories)) &&
                        !in_categories(item, filter.categories_excluded);
    // Contract of regulated shops: sensitive categories are neither features nor promoted.
    const auto& services = input.shop->services;
    const bool allowed = !in_categories(item, input.shop->sensitive_categories) &&
                         std::find(services.begin(), services.end(), item.id.str()) == services.end();
    if (sellable && wanted && allowed) {
      out.push_back(static_cast<std::int32_t>(i));
    }
  }
  return out;
}

DealTable::DealTable(const PlanInput& input) : offers_(input.campaign->offers.size()), deals_(input.items.size() * offers_) {
  const auto usable = usable_offers(input);
  for (const std::int32_t i : eligible_items(input)) {
    const catalog::Item& item = input.items[static_cast<std::size_t>(i)];
    for (const std::int32_t o : usable) {
      const catalog::Offer& offer = input.campaign->offers[static_cast<std::size_t>(o)];
      Deal& deal = deals_[static_cast<std::size_t>(i) * offers_ + static_cast<std::size_t>(o)];
      deal.price_minor = item.current_price().minor();
      deal.face_minor = offer.face_cost(item.current_price()).minor();
      deal.margin_minor = margin_of(item, input.shop->margin_bp);
      deal.kept_share = input.return_share.empty() ? 1 : 1 - input.return_share[static_cast<std::size_t>(i)];
      const auto floor = item.current_price().percent(input.campaign->items.margin_bp_min, base::Rounding::kUp);
      deal.applies = (offer.categories.empty() || in_categories(item, offer.categories)) &&
                     (input.campaign->items.margin_bp_min == 0 ||
                      deal.margin_minor - deal.face_minor >= floor.value_or(base::Money()).minor());
    }
  }
}

namespace {

// Whether business as usual, when it names things, means this one.
bool is_wanted(const Person& person, std::int32_t offer, std::size_t permit) {
  const auto& listed = person.listed;
  return !listed.has_value() || ((listed->offer < 0 || listed->offer == offer) &&
                                 (listed->channel.empty() || listed->channel == person.permits[permit].channel()));
}

}  // namespace

std::vector<Candidate> candidates_of(const PlanInput& input, const DealTable& deals, const Person& person) {
  std::vector<Candidate> out;
  if (person.group == events::Group::kUsual && !input.campaign->usual.list.empty() && !person.listed.has_value()) {
    return out;
  }
  const int hour = message_hour(*input.campaign, person.usual_hour);
  std::vector<ItemScore> own;
  if (person.listed.has_value()) {
    own.push_back({person.listed->item, person.listed->buy_probability, {}});
  }
  const auto& scores = person.listed.has_value() ? own : person.personalisation.has_value() ? person.items : input.popular;
  std::int64_t used_items = 0;
  for (const ItemScore& score : scores) {
    if (used_items == input.campaign->items.per_customer) {
      break;
    }
    bool used = false;
    for (std::size_t o = 0; o < input.campaign->offers.size(); ++o) {
      const Deal& deal = deals.at(score.item, static_cast<std::int32_t>(o));
      for (std::size_t p = 0; deal.applies && p < person.permits.size(); ++p) {
        if (!is_wanted(person, static_cast<std::int32_t>(o), p)) {
          continue;
        }
        Candidate candidate;
        candidate.item = score.item;
        candidate.offer = static_cast<std::int32_t>(o);
        candidate.permit = static_cast<std::int32_t>(p);
        candidate.hour = hour;
        candidate.buy_probability = score.buy_probability;
        out.push_back(valued(input, deal, person, candidate));
        if (!score.clicks.empty()) {
          out.back().click_probability = static_cast<double>(score.clicks[o * person.permits.size() + p]);
        }
        used = true;
      }
    }
    used_items += used ? 1 : 0;
  }
  return out;
}

}  // namespace beckon::decide
