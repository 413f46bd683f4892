#include <cmath>

#include "beckon/deliver/deliver.h"
#include "campaigns.h"
#include "judgement.h"
#include "outcomes.h"
#include "pages.h"
#include "terminal.h"

namespace beckon::engine {
namespace {

base::Json slice_json(const measure::Slice& slice) {
  return {{"name", slice.name}, {"planned", slice.planned}, {"sent", slice.sent}, {"delivered", slice.delivered},
          {"opened", slice.opened}, {"clicked", slice.clicked}, {"converted", slice.converted},
          {"revenue_minor", slice.revenue_minor}, {"attributed_minor", slice.attributed_minor},
          {"promotion_minor", slice.promotion_minor}, {"unsubscribed", slice.unsubscribed}};
}

base::Json slices_json(const std::vector<measure::Slice>& slices) {
  base::Json out = base::Json::array();
  for (const auto& slice : slices) {
    out.push_back(slice_json(slice));
  }
  return out;
}

// Whole audience, chosen, and chosen by offer, each for conversion, revenue and margin.
base::Json lifts(const std::vector<measure::Outcome>& outcomes, const catalog::Campaign& campaign) {
  base::Json out = base::Json::object();
  for (const auto metric : {measure::Metric::kConversion, measure::Metric::kRevenue, measure::Metric::kMargin}) {
    base::Json rows = base::Json::array();
    rows.push_back(lift_json(measure::audience_lift(outcomes, metric)));
    rows.push_back(lift_json(measure::chosen_lift(outcomes, metric)));
    for (const auto& offer : campaign.offers) {
      rows.push_back(lift_json(measure::chosen_lift(outcomes, metric, offer.id.str())));
    }
    out[std::string(measure::to_text(metric))] = std::move(rows);
  }
  return out;
}

base::Result<base::Json> budgets(const Context& context, const Planned& planned) {
  BECKON_TRY(const auto counters, store::Records(*context.rows).counters(planned.file.campaign + "|" + planned.file.period + "|"));
  base::Json out = base::Json::array();
  for (const auto& budget : planned.file.plan.budgets) {
    const auto found = counters.find(deliver::budget_counter(planned.campaign, budget.id));
    const store::Counter counter = found == counters.end() ? store::Counter{} : found->second;
    out.push_back({{"budget", budget.id}, {"basis", std::string(catalog::to_text(budget.basis))},
                   {"limit_minor", planned.campaign.budgets[out.size()].amount.minor()}, {"planned_minor", budget.planned_minor},
                   {"escrowed_minor", counter.escrowed}, {"settled_minor", counter.settled}});
  }
  return out;
}

// Language of the customer: the segment that every shop has.
std::function<std::string(const measure::Outcome&)> segment_of(const Context& context) {
  return [&context](const measure::Outcome& outcome) {
    const auto profile = store::People(*context.rows).profile(outcome.decision.customer);
    const std::string fallback = context.config.shop.default_market().language;
    if (!profile.ok() || !profile->has_value() || !(*profile)->open.contains("language")) {
      return fallback;
    }
    return (*profile)->open.at("language");
  };
}

base::Result<base::Json> campaign_json(Context& context, const Planned& planned, const std::vector<measure::Outcome>& outcomes) {
  std::map<std::string, std::int64_t> not_sent;
  std::map<std::pair<std::string, std::int64_t>, std::string> day_of;  // of a customer's slot
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& d) {
    if (d.campaign == planned.file.campaign && d.period == planned.file.period) {
      if (d.state != events::DeliveryState::kAccepted) {
        ++not_sent[std::string(events::to_text(d.state)) + (d.reason.empty() ? "" : ": " + d.reason)];
      }
      day_of[{d.customer.bytes(), d.slot}] = base::format_date(d.accepted_at.ms > 0 ? d.accepted_at : d.due);
    }
    return true;
  }));
  const auto whole = measure::slices(outcomes, [](const auto&) { return std::string("all"); });
  std::int64_t redeemed = 0;
  for (const auto& outcome : outcomes) {
    redeemed += outcome.redeemed ? 1 : 0;
  }
  base::Json out = {{"campaign", planned.file.campaign},
                    {"period", planned.file.period},
                    {"plan", planned.file.plan.id},
                    {"replay", planned.file.replay},
                    {"currency", std::string(context.config.shop.market(planned.campaign.market).currency.code())},
                    {"customers", measure::count_customers(outcomes)},
                    {"totals", whole.empty() ? slice_json({}) : slice_json(whole.front())},
                    {"redeemed", redeemed},
                    {"click_rate_interval", whole.empty() ? base::Json::array() : base::Json{whole.front().click_rate_low, whole.front().click_rate_high}},
                    {"lift", lifts(outcomes, planned.campaign)},
                    {"by_offer", slices_json(measure::slices(outcomes, [](const auto& o) { return o.decision.offer; }))},
                    {"by_channel", slices_json(measure::slices(outcomes, [](const auto& o) { return o.decision.channel; }))},
                    {"by_segment", slices_json(measure::slices(outcomes, segment_of(context)))},
                    {"by_day", slices_json(measure::slices(outcomes, [&](const auto& o) {
                       const auto found = day_of.find({o.decision.customer.bytes(), o.decision.slot});
                       return found == day_of.end() ? std::string("not sent") : found->second;
                     }))},
                    {"not_sent", not_sent},
                    {"sample_ratio_p_value", measure::sample_ratio_p_value(outcomes, planned.file.layers)},
                    {"assumptions", planned.file.assumptions},
                    {"plan_summary", decide::summary(planned.file)}};
  BECKON_TRY(out["budgets"], budgets(context, planned));
  BECKON_TRY(out["judgement"], verdict_json(context, planned));
  return out;
}

}  // namespace

base::Result<base::Json> report(Context& context, const ReportRequest& request) {
  BECKON_TRY(const auto campaigns, planned_campaigns(context));
  BECKON_TRY(const base::Json shop, shop_total(context, campaigns));
  base::Json all = base::Json::array();
  std::string text;
  for (const auto& planned : campaigns) {
    if (!request.campaign.empty() && planned.file.campaign != request.campaign) {
      continue;
    }
    BECKON_TRY(const auto outcomes, outcomes_of(context, planned));
    base::Json json;
    if (planned.file.replay) {
      if (context.manual == nullptr) {
        json = {{"campaign", planned.file.campaign}, {"replay", true},
                {"note", "this campaign was a replay: beckon report --as-of " + base::format_time(planned.file.made_at) + " compares it with what came later"}};
        all.push_back(std::move(json));
        continue;
      }
      BECKON_TRY(json, replay_json(context, planned));
    } else {
      BECKON_TRY_STATUS(settle(context, planned, outcomes));
      BECKON_TRY(json, campaign_json(context, planned, outcomes));
      json["shop"] = shop;
    }
    const auto trained = load_model(context);
    json["model_figures"] = trained.ok() && trained->has_value() ? (*trained)->figures : base::Json();
    const report::Page page = planned.file.replay ? replay_page(context, json) : campaign_page(context, json);
    const std::string path = request.html_path.empty() ? context.path("reports/" + planned.file.campaign + ".html") : request.html_path;
    BECKON_TRY_STATUS(context.files->make_dirs(context.path("reports")));
    BECKON_TRY_STATUS(context.files->write_atomic(path, report::to_html(page)));
    json["html"] = path;
    text += report::to_terminal(page, this_terminal()) + "\nPage: " + path + "\n";
    all.push_back(std::move(json));
  }
  if (all.empty()) {
    return base::not_found(request.campaign.empty() ? "nothing was planned yet: beckon plan CAMPAIGN.toml"
                                                    : "campaign '" + request.campaign + "' was not planned yet");
  }
  return base::Json{{"campaigns", all}, {"shop", shop}, {"text", text}, {"exit", 0}};
}

}  // namespace beckon::engine
