#include "allocation.h"

#include <algorithm>
#include <cmath>

#include "beckon/allocate/allocate.h"

namespace beckon::decide {
namespace {

constexpr std::int64_t kMicro = 1'000'000;

bool pays(const catalog::Budget& budget, const catalog::Offer& offer) {
  return budget.offers.empty() || std::find(budget.offers.begin(), budget.offers.end(), offer.id.str()) != budget.offers.end();
}

}  // namespace

Rows::Rows(const catalog::Campaign& campaign, const measure::Layers& layers) : campaign_(campaign), layers_(layers) {
  for (const auto& budget : campaign.budgets) {
    total_.push_back(budget.amount.minor() * kMicro);
  }
  for (const auto& offer : campaign.offers) {
    quantity_row_.push_back(offer.quantity_max > 0 ? static_cast<std::int32_t>(total_.size()) : -1);
    if (offer.quantity_max > 0) {
      total_.push_back(offer.quantity_max);
    }
  }
}

Capacity Rows::share_of(events::Group group) const {
  // Shares in parts per million, so that the split is exact integer arithmetic.
  const auto ppm_of = [](double share) { return std::llround(share * 1e6); };
  const std::int64_t holdout = ppm_of(layers_.holdout);
  const std::int64_t random = ppm_of(layers_.random);
  const std::int64_t usual = ppm_of(layers_.usual);
  Capacity out;
  for (std::size_t row = 0; row < total_.size(); ++row) {
    const auto part = [&](std::int64_t ppm) {
      return base::multiply_divide(total_[row], ppm, kMicro, base::Rounding::kDown).value();
    };
    std::int64_t share = 0;
    switch (group) {
      case events::Group::kHoldout:
        share = part(holdout);
        break;
      case events::Group::kRandom:
        share = part(random);
        break;
      case events::Group::kUsual:
        share = part(usual);
        break;
      case events::Group::kTreated:
        share = total_[row] - part(holdout) - part(random) - part(usual);
        break;
      case events::Group::kGlobalHoldout:
        break;
    }
    if (row < campaign_.budgets.size()) {
      share -= share % kMicro;  // whole minor units: rounding up per message can then never pass the whole
    }
    out.push_back(share);
  }
  return out;
}

std::vector<std::pair<std::int32_t, std::int64_t>> Rows::uses(const Candidate& c) const {
  std::vector<std::pair<std::int32_t, std::int64_t>> out;
  const catalog::Offer& offer = campaign_.offers[static_cast<std::size_t>(c.offer)];
  for (std::size_t b = 0; b < campaign_.budgets.size(); ++b) {
    if (!pays(campaign_.budgets[b], offer)) {
      continue;
    }
    const bool face = campaign_.budgets[b].basis == catalog::BudgetBasis::kFace;
    const std::int64_t micro = (face ? c.face_minor * kMicro : c.expected_cost_micro) + c.send_cost_micro;
    const std::int64_t rounded = (micro + kMicro - 1) / kMicro * kMicro;  // what the claim will escrow
    if (rounded > 0) {
      out.emplace_back(static_cast<std::int32_t>(b), rounded);
    }
  }
  if (quantity_row_[static_cast<std::size_t>(c.offer)] >= 0) {
    out.emplace_back(quantity_row_[static_cast<std::size_t>(c.offer)], 1);
  }
  return out;
}

void serve_in_order(const Rows& rows, std::vector<Work*>& members, Capacity& capacity) {
  std::sort(members.begin(), members.end(), [](const Work* a, const Work* b) { return a->order < b->order; });
  for (Work* work : members) {
    if (work->choice.empty()) {
      continue;
    }
    const auto uses = rows.uses(work->candidates[work->choice.front()]);
    const bool fits = std::all_of(uses.begin(), uses.end(), [&](const auto& use) {
      return capacity[static_cast<std::size_t>(use.first)] >= use.second;
    });
    if (fits) {
      for (const auto& [row, amount] : uses) {
        capacity[static_cast<std::size_t>(row)] -= amount;
      }
    } else {
      work->choice.clear();
      work->wanted = true;
    }
  }
}

base::Result<Certificate> allocate_by_value(const PlanInput& input, const Rows& rows, const Members& members,
                                            std::vector<BudgetUse>& budgets) {
  allocate::Problem problem;
  problem.picks_max = static_cast<std::int32_t>(input.campaign->messages_max);
  problem.capacity = *members.capacity;
  problem.customer_start.push_back(0);
  problem.use_start.push_back(0);
  std::vector<std::size_t> origin;  // candidate of the problem → candidate of its customer
  for (const Work* work : members.works) {
    for (std::size_t c = 0; c < work->candidates.size(); ++c) {
      problem.value.push_back(work->candidates[c].value_micro);
      if (problem.picks_max > 1) {
        problem.group.push_back(work->candidates[c].item);  // several messages must not be about the same item
      }
      origin.push_back(c);
      for (const auto& [row, amount] : rows.uses(work->candidates[c])) {
        problem.uses.push_back({row, amount});
      }
      problem.use_start.push_back(static_cast<std::int64_t>(problem.uses.size()));
    }
    problem.customer_start.push_back(static_cast<std::int64_t>(problem.value.size()));
  }
  allocate::Options options;
  options.executor = input.executor;
  BECKON_TRY(const allocate::Solution solution, allocate::solve(problem, options));
  const allocate::Audit audit = allocate::verify(problem, solution.pick);
  BECKON_CHECK(audit.feasible);
  const auto per_customer = static_cast<std::size_t>(problem.picks_max);
  for (std::size_t i = 0; i < members.works.size(); ++i) {
    for (std::size_t k = 0; k < per_customer; ++k) {
      const std::int64_t pick = solution.pick[i * per_customer + k];
      if (pick >= 0) {
        members.works[i]->choice.push_back(origin[static_cast<std::size_t>(pick)]);
      }
    }
  }
  for (std::size_t b = 0; b < rows.budget_count() && b < budgets.size(); ++b) {
    budgets[b].price_of_one_ratio = solution.dual[b];
  }
  return Certificate{static_cast<double>(audit.value), solution.upper_bound, solution.gap, true};
}

}  // namespace beckon::decide
