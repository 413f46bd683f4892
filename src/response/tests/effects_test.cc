#include "beckon/response/effects.h"

#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::response {
namespace {

constexpr double kStatedLow = 0.0;
constexpr double kStatedHigh = 2.0;

catalog::Shop shop() {
  catalog::Shop out;
  for (const char* kind : {"none", "percent_off"}) {
    out.priors[kind] = {0.03, 1.0, kStatedLow, kStatedHigh, 200};
  }
  return out;
}

catalog::Offer percent_off(std::int64_t depth_bp) {
  catalog::Offer offer;
  offer.kind = catalog::OfferKind::kPercentOff;
  offer.depth_bp = depth_bp;
  return offer;
}

privacy::Pseudonym customer(std::uint64_t i) {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing.pseudonym("user" + std::to_string(i));
}

struct Truth {
  std::int64_t depth_bp = 1000;
  double extra_share = 0.3;
  std::string category = "tea";
};

// Outcomes of a campaign whose messages add `extra_share` of the purchases that would happen anyway, as the report would see them.
std::vector<measure::Outcome> campaign(const Truth& truth, int customers, base::Rng& rng) {
  std::vector<measure::Outcome> out;
  for (int i = 0; i < customers; ++i) {
    measure::Outcome outcome;
    events::Decision& d = outcome.decision;
    d.customer = customer(rng.below(1ULL << 60U));
    d.chosen = true;
    d.offer = "o";
    d.group = rng.chance(0.2) ? events::Group::kHoldout : events::Group::kTreated;
    d.buy_probability = 0.02 + 0.2 * rng.uniform();
    const double chance = d.buy_probability * (d.group == events::Group::kTreated ? 1 + truth.extra_share : 1);
    outcome.ripe = true;
    outcome.item_purchases = rng.chance(chance) ? 1 : 0;
    out.push_back(outcome);
  }
  return out;
}

Finding found(const Truth& truth, int customers, base::Rng& rng) {
  const auto outcomes = campaign(truth, customers, rng);
  const auto evidence = measure::evidence_of(outcomes, [](const auto& d) { return d.offer; });
  return {catalog::OfferKind::kPercentOff, truth.depth_bp, truth.category, measure::share_of(evidence.at("o"))};
}

TEST(Effects, WithoutOwnDataTheStatementStandsAndSaysSo) {
  // A believed figure that is printed like a measured one is how shops fool themselves.
  const catalog::Shop stated = shop();
  const Effect effect = EffectBook(stated, {}).of(percent_off(1000));
  EXPECT_EQ(effect.grade, "assumed");
  EXPECT_DOUBLE_EQ(effect.extra_share, 1.0);
  EXPECT_NEAR(effect.low, kStatedLow, 1e-9);
  EXPECT_NEAR(effect.high, kStatedHigh, 1e-9);
}

TEST(Effects, OwnGroupsTakeOverAndTheirIntervalsHoldTheTruth) {
  // If intervals held the truth less often than they say, "randomised" would be worth no more than "assumed".
  const catalog::Shop stated = shop();
  constexpr int kWorlds = 600;
  int held = 0;
  int measured = 0;
  for (int world = 0; world < kWorlds; ++world) {
    base::Rng rng(static_cast<std::uint64_t>(world) + 1);
    const Truth truth{1000, 1.0 + 0.5 * rng.normal(), "tea"};  // drawn from what the shop believes
    const std::vector<Finding> findings{found(truth, 2500, rng), found(truth, 1500, rng)};
    const Effect effect = EffectBook(stated, findings).of(percent_off(1000));
    held += effect.low <= truth.extra_share && truth.extra_share <= effect.high ? 1 : 0;
    measured += effect.grade == "randomised" ? 1 : 0;
  }
  EXPECT_GE(held, kWorlds * 93 / 100);
  EXPECT_LE(held, kWorlds * 975 / 1000);
  EXPECT_GE(measured, kWorlds * 95 / 100);
}

TEST(Effects, SaysHowManyCustomersMoreItTakes) {
  // "Not enough data" without a number keeps a shop guessing for ever.
  const catalog::Shop stated = shop();
  base::Rng rng(5);
  const std::vector<Finding> few{found({}, 130, rng)};
  const Effect early = EffectBook(stated, few).of(percent_off(1000));
  EXPECT_EQ(early.grade, "assumed");
  EXPECT_GT(early.customers_needed, 0);
  const std::vector<Finding> more{found({}, static_cast<int>((early.customers + early.customers_needed) * 3 / 2), rng)};
  EXPECT_EQ(EffectBook(stated, more).of(percent_off(1000)).grade, "randomised");
}

TEST(Effects, ADeeperDiscountNeverAddsLessAndAnUntriedDepthLiesBetween) {
  // Noise alone would otherwise advise 10 % over 20 % at the same cost of sending.
  const catalog::Shop stated = shop();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    base::Rng rng(seed);
    std::vector<Finding> findings;
    for (const std::int64_t depth_bp : {500, 1000, 2000}) {
      findings.push_back(found({depth_bp, 0.4, "tea"}, 1500, rng));
    }
    const EffectBook book(stated, findings);
    double before = -10;
    for (const std::int64_t depth_bp : {500, 700, 1000, 1500, 2000}) {
      const Effect effect = book.of(percent_off(depth_bp));
      EXPECT_GE(effect.extra_share, before - 1e-12) << seed << " " << depth_bp;
      EXPECT_LE(effect.low, effect.extra_share);
      EXPECT_GE(effect.high, effect.extra_share);
      EXPECT_EQ(depth_bp == 700 || depth_bp == 1500, effect.customers == 0);
      before = effect.extra_share;
    }
  }
}

TEST(Effects, CategoriesDifferWhereTheyReallyDoAndAreShrunkWhereTheyOnlySeemTo) {
  // Without shrinkage every small category looks like a discovery; without categories a real one stays hidden.
  const catalog::Shop stated = shop();
  base::Rng rng(3);
  std::vector<Finding> findings;
  for (const char* name : {"tea", "mugs", "books", "toys"}) {
    findings.push_back(found({1000, std::string(name) == "toys" ? 1.5 : 0.2, name}, 20'000, rng));
  }
  const Effect real = EffectBook(stated, findings).of(percent_off(1000));
  EXPECT_GT(real.by_category.at("toys"), real.by_category.at("tea") + 0.8);
  double apart = 0;
  double shrunk = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Rng noise(seed);
    std::vector<Finding> same;
    for (const char* name : {"tea", "mugs", "books", "toys"}) {
      same.push_back(found({1000, 0.3, name}, 1200, noise));
    }
    const Effect effect = EffectBook(stated, same).of(percent_off(1000));
    apart += std::abs(same[0].estimate.share - same[3].estimate.share);
    shrunk += std::abs(effect.by_category.at("tea") - effect.by_category.at("toys"));
  }
  EXPECT_LT(shrunk, 0.75 * apart);
}

TEST(Effects, UnripeOutcomesSayNothing) {
  // Last week's buyers of next week would count as people whom the message left cold.
  base::Rng rng(9);
  auto outcomes = campaign({}, 500, rng);
  for (auto& outcome : outcomes) {
    outcome.ripe = false;
  }
  EXPECT_TRUE(measure::evidence_of(outcomes, [](const auto& d) { return d.offer; }).empty());
}

}  // namespace
}  // namespace beckon::response
