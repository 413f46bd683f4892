#include "outcomes.h"

#include <set>

#include "beckon/deliver/deliver.h"
#include "campaigns.h"

namespace beckon::engine {

base::Result<Planned> planned_of(const Context& context, const std::string& note) {
  BECKON_TRY(const auto json, base::parse_json(note));
  Planned planned;
  planned.path = base::string_or(json, "path");
  BECKON_TRY(planned.file, load_plan(context, planned.path));
  BECKON_TRY(planned.campaign, catalog::load_campaign(planned.file.campaign_text, planned.path, context.config.shop));
  if (planned.file.layers.salt.empty()) {  // a plan of an earlier version: its groups stand in the campaign file
    planned.file.layers.holdout = planned.campaign.holdout_share;
    planned.file.layers.random = planned.campaign.random_share;
  }
  if (planned.file.judgement.metric.empty()) {
    planned.file.judgement = planned.campaign.judgement;
  }
  return planned;
}

base::Result<std::vector<Planned>> planned_campaigns(const Context& context) {
  std::vector<Planned> out;
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes("plan|"));
  for (const auto& [name, text] : notes) {
    BECKON_TRY(Planned planned, planned_of(context, text));
    out.push_back(std::move(planned));
  }
  return out;
}

base::Result<measure::OutcomeOptions> shop_costs(const Context& context) {
  measure::OutcomeOptions options;
  options.margin_bp = context.config.shop.margin_bp;
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  for (const auto& item : items) {
    if (item.cost.has_value()) {
      options.cost_minor[item.id.str()] = item.cost->minor();
    }
  }
  return options;
}

base::Result<std::vector<measure::Outcome>> outcomes_of(const Context& context, const Planned& planned, std::int64_t window_ms) {
  BECKON_TRY(measure::OutcomeOptions options, shop_costs(context));
  options.attribution_ms = window_ms > 0 ? window_ms : planned.campaign.attribution_days * base::kDayMs;
  // A replay plays in the past: what it is compared with lies after its clock.
  options.as_of = context.replay() ? planned.file.made_at.plus_ms(options.attribution_ms) : context.clock->now();
  for (const auto& offer : planned.campaign.offers) {
    if (!offer.code.empty()) {
      options.codes.insert(offer.code);
    }
  }
  const store::Records records(*context.rows);
  std::vector<events::Decision> decisions;
  BECKON_TRY_STATUS(records.for_each_decision([&](const events::Decision& decision) {
    if (decision.campaign == planned.file.campaign && decision.period == planned.file.period) {
      decisions.push_back(decision);
    }
    return true;
  }));
  std::vector<measure::Outcome> outcomes;
  for (std::size_t begin = 0, end = 0; begin < decisions.size(); begin = end) {
    const privacy::Pseudonym& customer = decisions[begin].customer;  // his slots stand together: the store is ordered by customer
    while (end < decisions.size() && decisions[end].customer == customer) {
      ++end;
    }
    BECKON_TRY(const auto window, store::read_person(*context.rows, customer, options.as_of));
    BECKON_TRY(auto deliveries, records.deliveries(customer));
    std::erase_if(deliveries, [&](const auto& d) { return d.campaign != planned.file.campaign || d.period != planned.file.period; });
    auto slots = measure::observe(std::span(decisions).subspan(begin, end - begin), window, deliveries, options);
    std::move(slots.begin(), slots.end(), std::back_inserter(outcomes));
  }
  return outcomes;
}

base::Json outcome_json(const measure::Outcome& outcome) {
  const events::Decision& d = outcome.decision;
  return {{"customer", d.customer.text()}, {"campaign", d.campaign}, {"period", d.period}, {"at", base::format_time(d.at)},
          {"group", std::string(events::to_text(d.group))}, {"chosen", d.chosen}, {"item", d.item}, {"offer", d.offer},
          {"channel", d.channel}, {"propensity", d.propensity}, {"market", d.market}, {"currency", d.currency},
          {"sent", outcome.sent}, {"delivered", outcome.delivered}, {"opened", outcome.opened}, {"clicked", outcome.clicked},
          {"redeemed", outcome.redeemed}, {"unsubscribed", outcome.unsubscribed}, {"purchases", outcome.purchases},
          {"revenue_minor", outcome.revenue_minor}, {"margin_minor", outcome.margin_minor},
          {"promotion_minor", outcome.promotion_minor}, {"attributed_minor", outcome.attributed_minor}};
}

base::Result<std::int64_t> settle(Context& context, const Planned& planned, const std::vector<measure::Outcome>& outcomes) {
  std::set<std::pair<std::string, std::int64_t>> redeemed;
  for (const auto& outcome : outcomes) {
    if (outcome.redeemed) {
      redeemed.insert({outcome.decision.customer.bytes(), outcome.decision.slot});
    }
  }
  deliver::SenderParts parts;
  parts.rows = context.rows.get();
  parts.keys = context.keys.get();
  parts.shop = &context.config.shop;
  parts.campaign = &planned.campaign;
  parts.tenant = context.tenant;
  deliver::Sender sender(std::move(parts));
  return sender.settle(context.clock->now(), [&](const events::Delivery& delivery) {
    return redeemed.contains({delivery.customer.bytes(), delivery.slot});
  });
}

}  // namespace beckon::engine
