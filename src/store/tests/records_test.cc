// A budget could be spent twice, or a plan could overwrite the receipts of another campaign, if one of these broke.
#include "beckon/store/records.h"

#include <gtest/gtest.h>

#include "beckon/base/rng.h"
#include "twin.h"

namespace beckon::store {
namespace {

events::Decision decision_of(std::uint64_t n, const std::string& campaign, const std::string& period, std::int64_t slot) {
  events::Decision d;
  d.customer = person(n);
  d.campaign = campaign;
  d.period = period;
  d.slot = slot;
  d.item = "tea";
  d.value_micro = -5'000'000'000;
  d.propensity = 0.25;
  d.at = {1'770'000'000'000};
  return d;
}

using Key = std::tuple<privacy::Pseudonym, std::string, std::string, std::int64_t>;
std::map<Key, std::string> all_decisions(const Records& records) {
  std::map<Key, std::string> out;
  EXPECT_TRUE(records.for_each_decision([&](const events::Decision& d) {
    out[{d.customer, d.campaign, d.period, d.slot}] = events::encode(d);
    return true;
  }).ok());
  return out;
}

TEST(Records, ANewPlanReplacesItsOwnPeriodAlone) {
  // Receipts of another campaign or period are the only proof of what was decided then.
  MemoryKeyValue rows;
  const Records records(rows);
  base::Rng rng(5);
  std::map<Key, std::string> twin;
  for (int step = 0; step < 300; ++step) {
    WriteBatch changes;
    // Names that are prefixes of one another, and run together.
    const std::string campaign(1 + rng.below(2), 'a');
    const std::string period(1 + rng.below(3), 'a');
    if (rng.chance(0.05)) {
      ASSERT_TRUE(records.remove_decisions(campaign, period, changes).ok());
      std::erase_if(twin, [&](const auto& row) { return std::get<1>(row.first) == campaign && std::get<2>(row.first) == period; });
    } else {
      auto d = decision_of(rng.below(5), campaign, period, static_cast<std::int64_t>(1 + rng.below(2)));
      d.reason = std::to_string(step);
      Records::put(d, changes);
      twin[{d.customer, campaign, period, d.slot}] = events::encode(d);
    }
    ASSERT_TRUE(rows.write(changes).ok());
    ASSERT_EQ(all_decisions(records), twin);
  }
  std::size_t own = 0;
  for (std::uint64_t n = 0; n < 5; ++n) {
    own += records.decisions(person(n))->size();
  }
  EXPECT_EQ(own, twin.size());
}

TEST(Records, ADeliveryIsFoundByItsIdAndItsOwner) {
  // Taken for another's, a message would be marked sent that never left.
  MemoryKeyValue rows;
  const Records records(rows);
  WriteBatch changes;
  for (const auto& [owner, id] : {std::pair{1U, "a"}, {1U, "ab"}, {2U, "a"}}) {
    events::Delivery d;
    d.customer = person(owner);
    d.id = id;
    d.item = std::to_string(owner) + id;
    d.due = {1'770'000'000'000};
    Records::put(d, changes);
  }
  ASSERT_TRUE(rows.write(changes).ok());
  EXPECT_EQ(records.delivery(person(1), "a")->value().item, "1a");
  EXPECT_EQ(records.delivery(person(2), "a")->value().item, "2a");
  EXPECT_FALSE(records.delivery(person(2), "ab")->has_value());
  EXPECT_EQ(records.deliveries(person(1))->size(), 2U);
  int visits = 0;
  ASSERT_TRUE(records.for_each_delivery([&](const events::Delivery&) { return ++visits < 2; }).ok());
  EXPECT_EQ(visits, 2);
}

TEST(Records, CountersOfNeighbouringNamesDoNotMix) {
  // Budget "main" must not be charged what "main2" spent.
  MemoryKeyValue rows;
  const Records records(rows);
  base::Rng rng(9);
  std::map<std::string, Counter> twin;
  for (int step = 0; step < 200; ++step) {
    const std::string name = "spring|1|budget|" + std::string(rng.below(4), 'm');
    const Counter counter{static_cast<std::int64_t>(rng.below(1000)), -7, static_cast<std::int64_t>(rng.below(100)), std::int64_t{1} << 62};
    WriteBatch changes;
    Records::put(name, counter, changes);
    Records::put_note(name, std::to_string(step), changes);
    ASSERT_TRUE(rows.write(changes).ok());
    twin[name] = counter;
    ASSERT_EQ(records.counters("spring|1|").value(), twin);
    ASSERT_EQ(records.counter(name)->value(), counter);
    ASSERT_EQ(records.note(name)->value(), std::to_string(step));
    ASSERT_EQ(records.notes("spring").value().size(), twin.size());
  }
  EXPECT_FALSE(records.counter("spring|1|budget")->has_value());
  EXPECT_TRUE(records.counters("summer")->empty());
  EXPECT_EQ((Counter{100, 0, 30, 20}).left(), 50);
}

TEST(Records, RowsOfTheShopAreNotTakenForCustomers) {
  // Counters share partition 0 with one customer in 256: erasing him must not lift a budget's limit.
  MemoryKeyValue rows;
  People people(rows);
  const Records records(rows);
  std::uint64_t n = 0;
  while (test_ring().pseudonym("u" + std::to_string(n)).partition() != 0) {
    ++n;
  }
  const auto customer = test_ring().pseudonym("u" + std::to_string(n));
  WriteBatch changes;
  Records::put("main", {100, 0, 5, 0}, changes);
  Records::put_note("key_check", "k", changes);
  events::Delivery d;
  d.customer = customer;
  d.id = "x";
  Records::put(d, changes);
  ASSERT_TRUE(rows.write(changes).ok());
  int seen = 0;
  ASSERT_TRUE(records.for_each_delivery([&](const events::Delivery& delivery) {
    ++seen;
    return delivery.customer == customer;
  }).ok());
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(people.erase(customer, {1}).value(), 1);
  EXPECT_EQ(records.counter("main")->value().escrowed, 5);
  EXPECT_EQ(records.note("key_check")->value(), "k");
}

TEST(Records, DamageIsReportedNotRead) {
  // A counter read as zero would let a whole budget be spent again.
  MemoryKeyValue rows;
  const Records records(rows);
  WriteBatch changes;
  Records::put("main", {100, 0, 5, 0}, changes);
  Records::put(decision_of(1, "a", "1", 1), changes);
  ASSERT_TRUE(rows.write(changes).ok());
  WriteBatch damage;
  ASSERT_TRUE(rows.scan("", [&](std::string_view key, std::string_view value) {
    std::string broken(value);
    broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 0x10);
    damage.put(std::string(key), broken);
    return true;
  }).ok());
  ASSERT_TRUE(rows.write(damage).ok());
  EXPECT_EQ(records.counter("main").error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(records.counters("").error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(records.decisions(person(1)).error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(records.for_each_decision([](const auto&) { return true; }).error().code, base::ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace beckon::store
