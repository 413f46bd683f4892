#pragma once
// Who gets what, within budgets. Pure: clock, randomness, scores and consent are arguments; the answer is the same for any number
// of threads. No text is written and nothing is sent here.
//
//   decide.h     candidates, values, allocation, receipts
//   plan_file.h  the plan as JSON lines with a seal

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/catalog/catalog.h"
#include "beckon/events/records.h"
#include "beckon/measure/groups.h"
#include "beckon/privacy/privacy.h"

namespace beckon::decide {

struct ItemScore {
  std::int32_t item = 0;       ///< index into PlanInput::items
  double buy_probability = 0;  ///< of at least one piece in the attribution window, without any message
  std::vector<float> clicks = {};  ///< campaign offers × his permits, row-major: learned click probability; empty: not known
};

/// What an offer of the campaign adds: extra purchases as a share of those that would happen anyway.
struct OfferEffect {
  double extra_share = 0;
  double low = 0;                 ///< 95 % interval
  double high = 0;
  std::string grade = "assumed";  ///< "randomised" where own held-out groups measured it
  std::int64_t customers = 0;         ///< whose outcomes speak
  std::int64_t customers_needed = 0;  ///< more of them until "assumed" can end, as far as can be told
  std::map<std::string, double> by_category = {};  ///< extra share where an item's top category has one of its own
};

/// What the old tool chose for a customer of business as usual.
struct Listed {
  std::int32_t item = 0;       ///< index into PlanInput::items
  std::int32_t offer = -1;     ///< index into the campaign's offers; -1: the first that applies
  std::string channel;         ///< empty: the first that he allows
  double buy_probability = 0;  ///< of the item, without any message; 0 where nothing is known
};

/// One customer as decide sees him.
struct Person {
  privacy::Pseudonym customer;
  events::Group group = events::Group::kTreated;
  std::string excluded;        ///< why he is not in the audience at all; empty: he is
  std::vector<privacy::Permit<privacy::Purpose::kMarketing>> permits;  ///< one per channel he allows
  /// Without it he gets the non-personalised twin: the shop's most popular items.
  std::optional<privacy::Permit<privacy::Purpose::kPersonalisation>> personalisation;
  std::vector<ItemScore> items;  ///< best first
  std::optional<Listed> listed;  ///< of the group "usual", when the campaign has a list
  double click_ratio = 1;        ///< his click probability over the average customer's
  int usual_hour = -1;           ///< local hour of most of his events; -1: not known
};

struct PlanInput {
  const catalog::Shop* shop = nullptr;
  const catalog::Campaign* campaign = nullptr;
  std::vector<catalog::Item> items;
  std::vector<double> return_share;  ///< beside items: of what it sells, expected to come back; empty: nothing is known
  std::vector<ItemScore> popular;  ///< what everybody buys: non-personalised twin and strategy "popular"; best first
  std::vector<Person> persons;
  base::Instant now;
  std::string plan_id;
  std::string model;               ///< version of the scores
  std::vector<OfferEffect> effects;  ///< one per offer of the campaign; empty: as the shop states them
  measure::Layers layers;          ///< the groups and their shares; budgets are split with them
  base::Executor* executor = nullptr;
};

/// What any plan could reach under these estimates, and what this one reaches, over the treated customers.
struct Certificate {
  double value_micro = 0;
  double upper_bound_micro = 0;
  double gap = 0;              ///< (bound - value) / bound
  bool optimising = false;     ///< false for strategies that do not optimise: they have no bound
};

struct BudgetUse {
  std::string id;
  catalog::BudgetBasis basis = catalog::BudgetBasis::kFace;
  std::int64_t limit_minor = 0;
  std::int64_t planned_minor = 0;       ///< treated and random, rounded up per message
  std::int64_t ghost_minor = 0;         ///< the holdout's share of it, charged but never spent
  double price_of_one_ratio = 0;        ///< dual: extra profit per extra unit of this budget
};

struct OfferTotal {
  std::int64_t chosen = 0;
  std::int64_t ghosts = 0;
  std::int64_t face_minor = 0;
  double value_micro = 0;
};

/// A total of the plan, kept apart by where the effects behind it come from.
struct GradeTotal {
  std::int64_t messages = 0;
  double value_micro = 0;
};

struct Plan {
  std::string id;
  std::vector<events::Decision> decisions;   ///< one per person and slot, also for those who get nothing
  Certificate certificate;
  std::vector<BudgetUse> budgets;
  std::map<std::string, OfferTotal> offers;
  std::map<std::string, OfferEffect> effects;   ///< by offer: what the values rest on
  std::map<std::string, GradeTotal> by_grade;   ///< of the treated
  std::map<std::string, std::int64_t> reasons;  ///< why customers got nothing
  std::map<std::string, std::int64_t> groups;
  std::int64_t candidates = 0;
};

/// Draws, candidates, allocation, receipts. invalid_argument when the campaign cannot be planned at all (no item, no offer that
/// applies). Every plan is recounted by allocate::verify before it is returned.
base::Result<Plan> make_plan(const PlanInput& input);

/// What a message reserves from a budget of this basis, in minor units, rounded up.
std::int64_t reserved_minor(const events::Decision& decision, catalog::BudgetBasis basis);

/// The campaign's local hour nearest to when a customer is usually there (-1: not known); -1: any hour.
int message_hour(const catalog::Campaign& campaign, int usual_hour);

/// Pieces of the shop's items that this campaign may promote, in the order given: filters, stock, margin, sensitive categories.
std::vector<std::int32_t> eligible_items(const PlanInput& input);

}  // namespace beckon::decide
