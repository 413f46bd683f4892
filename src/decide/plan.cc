#include <algorithm>
#include <cmath>
#include <numeric>

#include "allocation.h"
#include "beckon/base/rng.h"
#include "candidates.h"

namespace beckon::decide {
namespace {

using events::Group;

// Stable and unrelated to anything about the customer: the order in which strategies without a value serve people.
std::uint64_t order_of(const PlanInput& input, const Person& person) {
  return base::stable_hash(person.customer.bytes() + "|" + input.campaign->id.str(), static_cast<std::uint64_t>(input.campaign->seed));
}

std::string describe(const PlanInput& input, const Person& person, const Candidate& c) {
  return input.items[static_cast<std::size_t>(c.item)].id.str() + "|" +
         input.campaign->offers[static_cast<std::size_t>(c.offer)].id.str() + "|" +
         person.permits[static_cast<std::size_t>(c.permit)].channel() + "|" + std::to_string(c.hour);
}

events::Decision blank_decision(const PlanInput& input, const Person& person) {
  events::Decision d;
  d.customer = person.customer;
  d.campaign = input.campaign->id.str();
  d.period = input.campaign->period;
  d.plan = input.plan_id;
  d.at = input.now;
  d.group = person.group;
  const catalog::Usual& usual = input.campaign->usual;
  d.strategy = person.group != Group::kUsual ? std::string(catalog::to_text(input.campaign->strategy))
               : usual.list.empty()          ? "usual " + std::string(catalog::to_text(usual.strategy))
                                             : "usual list";
  d.model = input.model;
  d.grade = "assumed";
  d.market = input.campaign->market;
  const auto& market = input.shop->market(input.campaign->market);
  d.currency = market.currency.code();
  if (!person.personalisation.has_value() && person.excluded.empty()) {
    d.rules = "not_personalised";
  }
  return d;
}

void fill_choice(const PlanInput& input, const Work& work, std::size_t pick, events::Decision& d) {
  const Person& person = *work.person;
  const Candidate& c = work.candidates[pick];
  const catalog::Item& item = input.items[static_cast<std::size_t>(c.item)];
  d.chosen = true;
  d.item = item.id.str();
  d.offer = input.campaign->offers[static_cast<std::size_t>(c.offer)].id.str();
  d.channel = person.permits[static_cast<std::size_t>(c.permit)].channel();
  d.hour = c.hour;
  d.price_minor = item.current_price().minor();
  d.face_minor = c.face_minor;
  d.send_cost_micro = c.send_cost_micro;
  d.expected_cost_micro = c.expected_cost_micro;
  d.value_micro = c.value_micro;
  d.click_probability = c.click_probability;
  d.buy_probability = c.buy_probability;
  d.extra_share = c.extra_share;
  d.grade = input.effects.empty() ? "assumed" : input.effects[static_cast<std::size_t>(c.offer)].grade;
  d.propensity = work.propensity;
  d.randomised = work.randomised;
  for (std::size_t i = 0; i < work.candidates.size(); ++i) {
    const bool better = d.runner_up.empty() || work.candidates[i].value_micro > d.runner_up_micro;
    if (i != pick && better) {
      d.runner_up = describe(input, person, work.candidates[i]);
      d.runner_up_micro = work.candidates[i].value_micro;
    }
  }
}

std::string reason_of(const PlanInput& input, const Work& work) {
  if (!work.person->excluded.empty()) {
    return work.person->excluded;
  }
  if (work.person->group == Group::kGlobalHoldout) {
    return "global_holdout";
  }
  if (work.person->permits.empty()) {
    return "no_consent";
  }
  if (work.person->group == Group::kUsual && !input.campaign->usual.list.empty() && !work.person->listed.has_value()) {
    return "not_in_list";
  }
  if (work.candidates.empty()) {
    return "no_item";
  }
  const bool any = std::any_of(work.candidates.begin(), work.candidates.end(), [](const auto& c) { return c.value_micro > 0; });
  return work.wanted || any ? "budget" : "no_positive_value";
}

std::vector<Work> gather(const PlanInput& input) {
  const DealTable deals(input);
  std::vector<Work> works(input.persons.size());
  constexpr std::size_t kTile = 256;
  const std::size_t tiles = (works.size() + kTile - 1) / kTile;
  const auto fill = [&](std::size_t tile) {
    for (std::size_t i = tile * kTile; i < std::min(works.size(), (tile + 1) * kTile); ++i) {
      works[i].person = &input.persons[i];
      works[i].order = order_of(input, input.persons[i]);
      if (input.persons[i].excluded.empty() && input.persons[i].group != Group::kGlobalHoldout) {
        works[i].candidates = candidates_of(input, deals, input.persons[i]);
      }
    }
  };
  if (input.executor != nullptr) {
    input.executor->run(tiles, fill);
  } else {
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      fill(tile);
    }
  }
  return works;
}

// Drawn before anything is optimised: each candidate with the same probability.
void draw_random(const PlanInput& input, Work& work) {
  if (work.candidates.empty()) {
    return;
  }
  base::Rng rng(static_cast<std::uint64_t>(input.campaign->seed), work.order);
  work.choice = {static_cast<std::size_t>(rng.below(work.candidates.size()))};
  work.propensity = 1.0 / static_cast<double>(work.candidates.size());
  work.randomised = true;
}

// The classic rule: predicted click probability above the threshold → first offer, else the second (or nothing, if there is none).
void choose_by_threshold(const PlanInput& input, Work& work) {
  for (std::size_t i = 0; i < work.candidates.size(); ++i) {
    const std::int32_t wanted = work.candidates.front().click_probability > input.campaign->threshold ? 0 : 1;
    if (work.candidates[i].offer == wanted) {
      work.choice = {i};
      return;
    }
  }
}

// The shop's most popular item that applies, under the first offer.
void choose_popular(const PlanInput& input, Work& work) {
  for (const ItemScore& score : input.popular) {
    for (std::size_t i = 0; i < work.candidates.size(); ++i) {
      if (work.candidates[i].item == score.item) {
        work.choice = {i};
        return;
      }
    }
  }
}

void choose_without_value(const PlanInput& input, catalog::Strategy strategy, Work& work) {
  switch (strategy) {
    case catalog::Strategy::kThreshold:
      choose_by_threshold(input, work);
      break;
    case catalog::Strategy::kPopular:
      choose_popular(input, work);
      break;
    case catalog::Strategy::kRandom:
      draw_random(input, work);
      break;
    case catalog::Strategy::kValue:
      break;
  }
}

void choose_as_usual(const PlanInput& input, Work& work) {
  if (!input.campaign->usual.list.empty()) {
    if (!work.candidates.empty()) {
      work.choice = {0};  // candidates are those of the listed item, offer and channel alone
    }
    return;
  }
  choose_without_value(input, input.campaign->usual.strategy, work);
}

void add_totals(const PlanInput& input, const events::Decision& d, Plan& plan) {
  if (!d.chosen) {
    ++plan.reasons[d.reason];
    return;
  }
  OfferTotal& total = plan.offers[d.offer];
  const bool ghost = events::is_held_out(d.group);
  ++(ghost ? total.ghosts : total.chosen);
  total.face_minor += ghost ? 0 : d.face_minor;
  total.value_micro += ghost ? 0 : static_cast<double>(d.value_micro);
  if (d.group == Group::kTreated) {
    GradeTotal& graded = plan.by_grade[d.grade];
    ++graded.messages;
    graded.value_micro += static_cast<double>(d.value_micro);
  }
  for (std::size_t b = 0; b < plan.budgets.size(); ++b) {
    const auto& offers = input.campaign->budgets[b].offers;
    if (offers.empty() || std::find(offers.begin(), offers.end(), d.offer) != offers.end()) {
      (ghost ? plan.budgets[b].ghost_minor : plan.budgets[b].planned_minor) += reserved_minor(d, plan.budgets[b].basis);
    }
  }
}

void write_receipts(const PlanInput& input, const std::vector<Work>& works, Plan& plan) {
  for (const Work& work : works) {
    plan.candidates += static_cast<std::int64_t>(work.candidates.size());
    ++plan.groups[std::string(events::to_text(work.person->group))];
    std::int64_t slot = 1;
    for (const std::size_t pick : work.choice) {
      events::Decision d = blank_decision(input, *work.person);
      d.slot = slot++;
      fill_choice(input, work, pick, d);
      plan.decisions.push_back(std::move(d));
    }
    if (work.choice.empty()) {
      events::Decision d = blank_decision(input, *work.person);
      d.reason = reason_of(input, work);
      plan.decisions.push_back(std::move(d));
    }
  }
  for (const auto& d : plan.decisions) {
    add_totals(input, d, plan);
  }
}

std::vector<Work*> group_of(std::vector<Work>& works, Group group) {
  std::vector<Work*> out;
  for (auto& work : works) {
    if (work.person->group == group && !work.candidates.empty()) {
      out.push_back(&work);
    }
  }
  return out;
}

}  // namespace

std::int64_t reserved_minor(const events::Decision& d, catalog::BudgetBasis basis) {
  const std::int64_t micro = basis == catalog::BudgetBasis::kFace ? d.face_minor * 1'000'000 + d.send_cost_micro
                                                                  : d.expected_cost_micro + d.send_cost_micro;
  return (micro + 999'999) / 1'000'000;
}

base::Result<Plan> make_plan(const PlanInput& input) {
  if (eligible_items(input).empty()) {
    return base::invalid_argument("campaign " + input.campaign->id.str() +
                                  ": no item may be promoted: check [items], prices, stock and the market of the items");
  }
  Plan plan;
  plan.id = input.plan_id;
  for (const auto& budget : input.campaign->budgets) {
    plan.budgets.push_back({budget.id, budget.basis, budget.amount.minor(), 0, 0, 0});
  }
  std::vector<Work> works = gather(input);
  Rows rows(*input.campaign, input.layers);
  const bool optimise = input.campaign->strategy == catalog::Strategy::kValue;
  for (const Group group : {Group::kRandom, Group::kUsual, Group::kHoldout, Group::kTreated}) {
    auto members = group_of(works, group);
    Capacity capacity = rows.share_of(group);
    if (optimise && group != Group::kRandom && group != Group::kUsual) {
      BECKON_TRY(const Certificate certificate, allocate_by_value(input, rows, {members, &capacity}, plan.budgets));
      if (group == Group::kTreated) {
        plan.certificate = certificate;
      }
      continue;
    }
    for (Work* work : members) {
      if (group == Group::kRandom) {
        draw_random(input, *work);
      } else if (group == Group::kUsual) {
        choose_as_usual(input, *work);
      } else {
        choose_without_value(input, input.campaign->strategy, *work);
      }
    }
    serve_in_order(rows, members, capacity);
  }
  write_receipts(input, works, plan);
  for (std::size_t i = 0; i < input.effects.size(); ++i) {
    plan.effects[input.campaign->offers[i].id.str()] = input.effects[i];
  }
  return plan;
}

}  // namespace beckon::decide
