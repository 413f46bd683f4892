#include "audience.h"

#include <algorithm>

namespace beckon::engine {
namespace {

// Whether any message of another campaign or period went to a customer drawn at random: then effects can be learned.
base::Result<bool> has_randomised_data(const Context& context, const catalog::Campaign& campaign) {
  bool found = false;
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& d) {
    const bool another = d.campaign != campaign.id.str() || d.period != campaign.period;
    found = another && !d.replay && d.group == events::Group::kRandom && d.state == events::DeliveryState::kAccepted;
    return !found;
  }));
  return found;
}

}  // namespace

base::Result<measure::Layers> layers_of(const Context& context, const catalog::Campaign& campaign) {
  const catalog::GroupConfig& groups = context.config.shop.groups;
  measure::Layers layers{groups.holdout_share, groups.salt, campaign.holdout_share, campaign.usual.share, campaign.random_share,
                         campaign.id.str()};
  if (!campaign.random_share_stated) {
    BECKON_TRY(const bool learned, has_randomised_data(context, campaign));
    const double room = 1 - layers.holdout - layers.usual;
    layers.random = learned ? layers.random : std::min(room, groups.random_share_first);
  }
  return layers;
}

base::Result<decide::Person> PersonMaker::make(const privacy::Pseudonym& customer, const features::History* history) const {
  const Context& context = *parts_.context;
  const catalog::Campaign& campaign = *parts_.campaign;
  decide::Person person;
  person.customer = customer;
  person.group = measure::assign(customer, *parts_.layers);
  BECKON_TRY(person.excluded, excluded(customer, history));
  if (!person.excluded.empty()) {
    return person;
  }
  BECKON_TRY(const auto consent, people_.consent(customer));
  const base::Instant now = context.clock->now();
  const auto& rule = context.config.shop.market(campaign.market).rule;
  for (const auto& channel : campaign.channels) {
    auto permit = privacy::grant<privacy::Purpose::kMarketing>(customer, consent, rule, {channel, now});
    if (permit.ok()) {
      person.permits.push_back(std::move(permit).value());
    }
  }
  auto personal = privacy::grant<privacy::Purpose::kPersonalisation>(
      customer, consent, rule, {campaign.channels.empty() ? "*" : campaign.channels.front(), now});
  if (personal.ok()) {
    person.personalisation.emplace(std::move(personal).value());
  }
  return person;
}

base::Result<std::string> PersonMaker::excluded(const privacy::Pseudonym& customer, const features::History* history) const {
  const Context& context = *parts_.context;
  const catalog::Campaign& campaign = *parts_.campaign;
  const catalog::Audience& audience = campaign.audience;
  BECKON_TRY(const std::string flag, people_.flag(customer));
  if (!flag.empty()) {
    return std::string("flagged_as_bot");
  }
  if (history == nullptr ||
      context.clock->now().ms - history->last_ms > audience.active_within_days * base::kDayMs) {
    return std::string("not_active");
  }
  const auto purchases = std::count_if(history->steps.begin(), history->steps.end(),
                                       [](const auto& s) { return s.type == features::StepType::kPurchase; });
  if (purchases < audience.purchases_min) {
    return std::string("too_few_purchases");
  }
  BECKON_TRY(const auto profile, people_.profile(customer));
  const auto fits = [&](const std::vector<std::string>& wanted, const char* field) {
    if (wanted.empty()) {
      return true;
    }
    const auto found = profile.has_value() ? profile->open.find(field) : std::map<std::string, std::string>::const_iterator();
    return profile.has_value() && found != profile->open.end() && std::find(wanted.begin(), wanted.end(), found->second) != wanted.end();
  };
  if (!fits(audience.countries, "country") || !fits(audience.languages, "language")) {
    return std::string("not_in_audience");
  }
  if (parts_.scope == PlanScope::kHypothetical) {
    return std::string();
  }
  BECKON_TRY(const auto sent, store::Records(*context.rows).deliveries(customer));
  std::int64_t served = 0;
  for (const auto& delivery : sent) {
    const bool on_its_way = delivery.state != events::DeliveryState::kPlanned && delivery.state != events::DeliveryState::kHeld &&
                            delivery.state != events::DeliveryState::kDropped && delivery.state != events::DeliveryState::kCancelled;
    served += delivery.campaign == campaign.id.str() && delivery.period == campaign.period && on_its_way ? 1 : 0;
  }
  return std::string(served >= campaign.messages_max ? "already_sent" : "");
}

}  // namespace beckon::engine
