#include "judgement.h"

#include <cmath>
#include <map>

#include "beckon/measure/verdict.h"

namespace beckon::engine {
namespace {

using events::Group;

measure::Metric metric_of(const catalog::Judgement& judgement) {
  return judgement.metric == "conversion" ? measure::Metric::kConversion
         : judgement.metric == "revenue"  ? measure::Metric::kRevenue
                                          : measure::Metric::kMargin;
}

// What a customer did between two moments, whatever campaigns he was in.
measure::Outcome lived(const privacy::Pseudonym& customer, std::span<const events::Event> events, base::Instant since,
                       const measure::OutcomeOptions& options) {
  events::Decision window;
  window.customer = customer;
  window.at = since;
  return measure::observe({&window, 1}, events, {}, options).front();
}

// The metric of every addressed customer over the horizon's length before the plan.
base::Result<std::vector<double>> past_values(const Context& context, const PlanMaterial& material) {
  const catalog::Judgement& judgement = material.campaign.judgement;
  BECKON_TRY(measure::OutcomeOptions options, shop_costs(context));
  options.attribution_ms = judgement.horizon_days * base::kDayMs;
  options.as_of = material.input.now;
  std::vector<double> values;
  for (const auto& person : material.input.persons) {
    if (!person.excluded.empty() || person.permits.empty()) {
      continue;
    }
    BECKON_TRY(const auto events, store::read_person(*context.rows, person.customer, options.as_of));
    const auto outcome = lived(person.customer, events, options.as_of.plus_ms(-options.attribution_ms), options);
    values.push_back(measure::value_of(outcome, metric_of(judgement)));
  }
  return values;
}

base::Json advice_json(const std::string& name, const measure::SizeQuestion& question, const measure::SizeAdvice& advice) {
  base::Json out = {{"compared", name},
                    {"with", question.treated},
                    {"against", question.control},
                    {"past_mean", question.past.mean},
                    {"smallest_effect", std::isfinite(advice.smallest_effect) ? base::Json(advice.smallest_effect) : base::Json()},
                    {"smallest_share_of_mean", advice.smallest_share_of_mean}};
  if (question.expected_effect != 0) {
    out["expected_effect"] = question.expected_effect;
    if (advice.control_share.has_value()) {
      out["control_share_needed"] = *advice.control_share;
    } else {
      out["customers_needed"] = advice.customers_needed;
    }
  }
  return out;
}

}  // namespace

base::Json lift_json(const measure::Lift& lift) {
  return {{"name", lift.name}, {"treated", lift.treated_count}, {"control", lift.control_count}, {"treated_mean", lift.treated_mean},
          {"control_mean", lift.control_mean}, {"difference", lift.difference}, {"low", lift.low}, {"high", lift.high},
          {"known", lift.known}, {"grade", lift.known ? "randomised" : "not measured"}};
}

base::Result<base::Json> size_advice(const Context& context, const PlanMaterial& material, const decide::PlanFile& file) {
  std::map<Group, std::int64_t> count;
  for (const auto& person : material.input.persons) {
    count[person.group] += person.excluded.empty() && !person.permits.empty() ? 1 : 0;
  }
  BECKON_TRY(const auto values, past_values(context, material));
  measure::SizeQuestion question;
  question.past = measure::past_metric(values);
  const bool in_money = file.judgement.metric == "margin";
  base::Json comparisons = base::Json::array();
  const auto ask = [&](const std::string& name, std::int64_t treated, std::int64_t control) {
    question.treated = treated;
    question.control = control;
    comparisons.push_back(advice_json(name, question, measure::advise(question)));
  };
  const std::int64_t acted = count[Group::kTreated] + count[Group::kRandom];
  // What the plan expects is the treated's alone; spread over everybody it is compared with.
  question.expected_effect = in_money && acted > 0 ? file.plan.certificate.value_micro / 1e6 / static_cast<double>(acted) : 0;
  ask("treated and random / holdout", acted, count[Group::kHoldout]);
  if (file.layers.usual > 0) {
    question.expected_effect = 0;
    ask("treated / business as usual", count[Group::kTreated], count[Group::kUsual]);
  }
  return base::Json{{"metric", file.judgement.metric},
                    {"horizon_days", file.judgement.horizon_days},
                    {"unit", in_money || file.judgement.metric == "revenue" ? "minor units per customer" : "share of customers"},
                    {"comparisons", comparisons}};
}

base::Result<base::Json> verdict_json(const Context& context, const Planned& planned) {
  const catalog::Judgement& judgement = planned.file.judgement;
  const std::int64_t horizon_ms = std::max(judgement.horizon_days, planned.campaign.attribution_days) * base::kDayMs;
  BECKON_TRY(const auto outcomes, outcomes_of(context, planned, horizon_ms));
  const auto metric = metric_of(judgement);
  const measure::Lift lift = measure::audience_lift(outcomes, metric);
  const measure::Judged judged = measure::judge(lift, {context.clock->now(), planned.file.made_at, horizon_ms});
  const measure::Leakage leak = measure::leakage(outcomes);
  base::Json out = {{"verdict", std::string(measure::to_text(judged.verdict))},
                    {"metric", std::string(measure::to_text(metric))},
                    {"horizon_days", horizon_ms / base::kDayMs},
                    {"days_left", judged.days_left},
                    {"difference", lift.difference},
                    {"low", judged.low},
                    {"high", judged.high},
                    {"smallest_effect", judged.smallest_effect},
                    {"customers", lift.treated_count + lift.control_count},
                    {"customers_needed", judged.customers_needed},
                    {"grade", lift.known ? "randomised" : "not measured"},
                    {"leakage", {{"held_out", leak.held_out}, {"leaked", leak.leaked}}}};
  if (planned.file.layers.usual > 0) {
    out["against_usual"] = lift_json(measure::group_lift(outcomes, metric, Group::kTreated, Group::kUsual));
    out["usual_against_holdout"] = lift_json(measure::group_lift(outcomes, metric, Group::kUsual, Group::kHoldout));
  }
  return out;
}

base::Result<base::Json> shop_total(const Context& context, const std::vector<Planned>& campaigns) {
  const catalog::GroupConfig& groups = context.config.shop.groups;
  std::optional<base::Instant> since;
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& d) {
    if (!d.replay && d.accepted_at.ms > 0 && (!since.has_value() || d.accepted_at < *since)) {
      since = d.accepted_at;
    }
    return true;
  }));
  if (!since.has_value() || groups.holdout_share <= 0) {
    return base::Json();
  }
  // Sending, and discounts that the price paid does not show, are no event of the customer: the campaigns' outcomes know them.
  std::map<std::string, std::int64_t> cost_minor;
  for (const auto& planned : campaigns) {
    if (!planned.file.replay) {
      BECKON_TRY(const auto outcomes, outcomes_of(context, planned));
      for (const auto& outcome : outcomes) {
        cost_minor[outcome.decision.customer.bytes()] += outcome.goods_margin_minor - outcome.margin_minor;
      }
    }
  }
  BECKON_TRY(measure::OutcomeOptions options, shop_costs(context));
  options.as_of = context.clock->now();
  options.attribution_ms = options.as_of.ms - since->ms;
  const measure::Layers layers{.global_holdout = groups.holdout_share, .global_salt = groups.salt};
  std::vector<measure::Outcome> outcomes;
  BECKON_TRY_STATUS(store::for_each_person(*context.rows, options.as_of, [&](const privacy::Pseudonym& customer, std::vector<events::Event>& events) {
    measure::Outcome outcome = lived(customer, events, *since, options);
    outcome.decision.group = measure::in_global_holdout(customer, layers) ? Group::kGlobalHoldout : Group::kTreated;
    const auto cost = cost_minor.find(customer.bytes());
    outcome.margin_minor -= cost == cost_minor.end() ? 0 : cost->second;
    outcomes.push_back(std::move(outcome));
    return !context.stop;
  }));
  base::Json lifts = base::Json::object();
  for (const auto metric : {measure::Metric::kConversion, measure::Metric::kRevenue, measure::Metric::kMargin}) {
    lifts[std::string(measure::to_text(metric))] = lift_json(measure::group_lift(outcomes, metric, Group::kTreated, Group::kGlobalHoldout));
  }
  return base::Json{{"since", base::format_time(*since)}, {"holdout_share", groups.holdout_share}, {"salt", groups.salt}, {"lift", lifts}};
}

}  // namespace beckon::engine
