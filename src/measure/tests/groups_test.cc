#include "beckon/measure/groups.h"

#include <gtest/gtest.h>

#include <map>

namespace beckon::measure {
namespace {

using events::Group;

constexpr int kCustomers = 20'000;

privacy::Pseudonym customer(int i) {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing.pseudonym("user" + std::to_string(i));
}

Layers spring() {
  return {.global_holdout = .05, .global_salt = "2026", .holdout = .1, .usual = .2, .random = .05, .salt = "spring"};
}

TEST(Groups, HaveTheSharesThatWereAskedFor) {
  // Shares that are only nearly right make every report cry "sample ratio mismatch".
  const Layers layers = spring();
  std::map<Group, int> count;
  for (int i = 0; i < kCustomers; ++i) {
    ++count[assign(customer(i), layers)];
  }
  const auto shares = group_shares(layers);
  double sum = 0;
  for (std::size_t g = 1; g < shares.size(); ++g) {
    sum += shares[g];
    const double expected = kCustomers * shares[g];
    EXPECT_NEAR(count[static_cast<Group>(g)], expected, 5 * std::sqrt(expected)) << events::to_text(static_cast<Group>(g));
  }
  EXPECT_DOUBLE_EQ(sum, 1);
}

TEST(Groups, AreTheSameInEveryPlanAndTheShopsHoldoutInEveryCampaign) {
  // A customer who changes sides between two plans counts on both; one who is kept out of one campaign only measures that one.
  Layers autumn = spring();
  autumn.salt = "autumn";
  int both = 0;
  int spring_only = 0;
  for (int i = 0; i < kCustomers; ++i) {
    const Group group = assign(customer(i), spring());
    EXPECT_EQ(group, assign(customer(i), spring()));
    EXPECT_EQ(group == Group::kGlobalHoldout, assign(customer(i), autumn) == Group::kGlobalHoldout);
    EXPECT_EQ(group == Group::kGlobalHoldout, in_global_holdout(customer(i), autumn));
    const bool held = group == Group::kHoldout;
    both += held && assign(customer(i), autumn) == Group::kHoldout ? 1 : 0;
    spring_only += held ? 1 : 0;
  }
  EXPECT_NEAR(both, spring_only * .1 * .95, 60);  // holdouts of two campaigns are drawn independently
}

TEST(Groups, AWiderLayerTakesCustomersInAndLetsNobodyOut) {
  // Somebody who was held out for months and is written to because the holdout grew would spoil both sides.
  Layers wider = spring();
  wider.global_holdout = .08;
  wider.holdout = .2;
  for (int i = 0; i < kCustomers; ++i) {
    const Group before = assign(customer(i), spring());
    const Group after = assign(customer(i), wider);
    if (before == Group::kGlobalHoldout) {
      EXPECT_EQ(after, Group::kGlobalHoldout);
    }
    if (before == Group::kHoldout) {
      EXPECT_TRUE(events::is_held_out(after));
    }
    if (before == Group::kUsual || before == Group::kRandom) {
      EXPECT_NE(after, Group::kTreated);
    }
  }
}

TEST(Groups, SharesThatFillTheWholeLeaveNobodyOver) {
  // With everything at random there is no treated customer, not one by rounding.
  const Layers layers{.holdout = .3, .usual = .3, .random = .4, .salt = "all"};
  for (int i = 0; i < kCustomers; ++i) {
    EXPECT_NE(assign(customer(i), layers), Group::kTreated);
  }
}

}  // namespace
}  // namespace beckon::measure
