// The model would learn from bots, from goods that came back, or from the future if one of these broke.
#include <gtest/gtest.h>

#include "world.h"

namespace beckon::features {
namespace {

using events::EventType;

TEST(Dataset, WhatCameBackIsNoPurchase) {
  // Somebody who returned a kettle would be offered kettles.
  World world;
  world.append({world.make("ann", EventType::kPurchase, "kettle", 10 * kDay), world.make("ann", EventType::kPurchase, "tea", 10 * kDay),
                world.make("ann", EventType::kRefund, "kettle", 12 * kDay)});
  const Dataset data = world.dataset(options_at(kNow));
  EXPECT_EQ(data.refunded, 1);
  ASSERT_EQ(data.histories.size(), 1U);
  EXPECT_EQ(items_of(data, data.histories[0]), std::vector<std::string>{"tea"});
  const Dataset before = world.dataset(options_at({11 * kDay}));  // not yet given back
  EXPECT_EQ(before.refunded, 0);
  EXPECT_EQ(before.steps, 2);
}

TEST(Dataset, AClickCountsForTheMessageThatItNames) {
  // Two mails in a week and a late click on the first: the second would be called a success.
  World world;
  const auto about = [&](EventType type, const char* delivery, std::int64_t at) {
    auto event = world.make("ann", type, "tea", at);
    event.delivery = delivery;
    event.channel = "email";
    return event;
  };
  world.append({world.make("ann", EventType::kPurchase, "tea", 9 * kDay), about(EventType::kDelivered, "d1", 10 * kDay),
                about(EventType::kDelivered, "d2", 11 * kDay), about(EventType::kClick, "d1", 12 * kDay), about(EventType::kDelivered, "", 13 * kDay),
                about(EventType::kClick, "", 14 * kDay)});
  const Dataset data = world.dataset(options_at(kNow));
  const auto& messages = history_of(data, "ann")->messages;
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_GT(messages[0].clicked_ms, 0);
  EXPECT_EQ(messages[1].clicked_ms, 0);
  EXPECT_GT(messages[2].clicked_ms, 0) << "a click without a name is of the last message";
  EXPECT_EQ(messages[0].channel, MessageChannel::kEmail);
  EXPECT_EQ(messages[0].item_hash, base::stable_hash("tea"));
  EXPECT_NE(messages[0].delivery_hash, messages[1].delivery_hash);
  EXPECT_EQ(messages[2].delivery_hash, 0U);
  EXPECT_EQ(data.vocabulary.size(), 2) << "a message is no event of its item";
}

TEST(Dataset, BotsServicesAndSensitiveThingsStayOut) {
  // A crawler would decide what is popular, postage would be recommended, and a disease would be guessed from the basket.
  World world;
  for (const char* who : {"ann", "bob"}) {
    for (const char* item : {"tea", "post", "pregnancy-test"}) {
      world.add(who, EventType::kPurchase, item, 10 * kDay);
    }
  }
  world.add("bot", EventType::kPurchase, "mug", 10 * kDay);
  store::WriteBatch changes;
  store::People::put_flag(World::customer("bot"), "views_per_minute", changes);
  ASSERT_TRUE(world.rows.write(changes).ok());
  DatasetOptions options = options_at(kNow);
  options.services = {"post"};
  FactOptions rules;
  rules.sensitive_categories = {"Health"};
  const auto facts = ItemFacts::learn({item_of("pregnancy-test", "Health > Tests", "Acme"), item_of("tea", "Drinks > Health tea")}, rules);
  const Dataset data = world.dataset(options, facts);
  EXPECT_EQ(data.flagged, 1);
  EXPECT_EQ(history_of(data, "bot"), nullptr);
  EXPECT_EQ(data.vocabulary.token("post"), 0);
  EXPECT_EQ(data.vocabulary.token("mug"), 0);
  EXPECT_EQ(data.vocabulary.token("pregnancy-test"), 0);
  ASSERT_NE(history_of(data, "ann"), nullptr);
  EXPECT_EQ(history_of(data, "ann")->steps.size(), 2U);  // the sensitive one is a step without a name
  EXPECT_EQ(facts.words().categories, std::vector<std::string>{"Drinks > Health tea"});
  EXPECT_TRUE(facts.words().brands.empty());
  EXPECT_EQ(facts.goods(), std::vector<std::string>{"tea"});
  for (const Step& step : history_of(data, "ann")->steps) {
    EXPECT_EQ(step.codes, step.token == 0 ? ItemCodes{} : (ItemCodes{1, 1, 0}));
  }
  EXPECT_EQ(data.unknown_items, 2);
}

TEST(Dataset, TokensDoNotDependOnTheOrderInWhichLinesCame) {
  // A model file would mean other items after the same data was taken in again.
  World world;
  base::Rng rng(3);
  auto events = random_events(world, rng, 0, 50 * kDay);
  world.append(events);
  const auto first = world.dataset(options_at(kNow)).vocabulary.items();
  for (int round = 0; round < 5; ++round) {
    rng.shuffle(events);
    World again;
    for (const auto& event : events) {
      again.append({event});
    }
    EXPECT_EQ(again.dataset(options_at(kNow)).vocabulary.items(), first);
  }
  World ties;
  for (const char* item : {"b", "c", "a", "c"}) {
    ties.add("ann", EventType::kView, item, kDay);
  }
  EXPECT_EQ(ties.dataset(options_at(kNow)).vocabulary.items(), (std::vector<std::string>{"", "c", "a", "b"}));
  EXPECT_EQ(ties.dataset(options_at(kNow, 2)).vocabulary.items(), (std::vector<std::string>{"", "c"}));
  DatasetOptions few = options_at(kNow);
  few.items_max = 2;
  EXPECT_EQ(ties.dataset(few).vocabulary.items(), (std::vector<std::string>{"", "c", "a"}));
}

TEST(Dataset, LaterEventsChangeNothingAsOfAMoment) {
  // Every figure of a replay would be too good to be true.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world;
    base::Rng rng(seed);
    const base::Instant cut{40 * kDay + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(kDay)))};
    world.append(random_events(world, rng, 0, cut.ms + 1));
    const Dataset before = world.dataset(options_at(cut, 2));
    const Floors floors_before = Floors::fit(before, cut);
    world.append(random_events(world, rng, cut.ms + 1, 80 * kDay));
    const Dataset after = world.dataset(options_at(cut, 2));
    const Floors floors_after = Floors::fit(after, cut);
    EXPECT_EQ(after.vocabulary.items(), before.vocabulary.items());
    EXPECT_EQ(after.steps, before.steps);
    EXPECT_EQ(after.refunded, before.refunded);
    EXPECT_EQ(after.last_ms, before.last_ms);
    ASSERT_EQ(after.histories.size(), before.histories.size());
    for (std::size_t i = 0; i < before.histories.size(); ++i) {
      const History& a = before.histories[i];
      const History& b = after.histories[i];
      EXPECT_TRUE(same_steps(a, b));
      EXPECT_EQ(a.events, b.events);
      EXPECT_EQ(a.last_ms, b.last_ms);
      EXPECT_EQ(a.usual_hour, b.usual_hour);
      ASSERT_EQ(a.messages.size(), b.messages.size());
      for (std::size_t m = 0; m < a.messages.size(); ++m) {
        EXPECT_EQ(a.messages[m].clicked_ms, b.messages[m].clicked_ms);
      }
      const auto own_a = floors_before.own(a, cut);
      const auto own_b = floors_after.own(b, cut);
      ASSERT_EQ(own_a.size(), own_b.size());
      for (std::size_t k = 0; k < own_a.size(); ++k) {
        EXPECT_EQ(own_a[k].score, own_b[k].score);
      }
      SequenceOptions options;
      options.as_of = options.target_until = cut;
      EXPECT_EQ(make_sequence(a, options).token, make_sequence(b, options).token);
      EXPECT_EQ(make_sequence(a, options).side, make_sequence(b, options).side);
      EXPECT_EQ(make_sequence(a, options).target, make_sequence(b, options).target);
      EXPECT_EQ(make_sequence(a, options).label, make_sequence(b, options).label);
    }
  }
}

TEST(Dataset, FloorsAndInputsStopAtTheCutWithinOneDataset) {
  // Training cuts one dataset in time: what lies behind the cut must not count towards what is compared with it.
  World world;
  base::Rng rng(8);
  world.append(random_events(world, rng, 0, 80 * kDay));
  const Dataset data = world.dataset(options_at(kNow, 1));
  Dataset shortened = data;
  const base::Instant cut{40 * kDay};
  for (auto& history : shortened.histories) {
    std::erase_if(history.steps, [&](const Step& step) { return step.at_ms > cut.ms; });
  }
  const Floors whole = Floors::fit(data, cut);
  const Floors half = Floors::fit(shortened, cut);
  ASSERT_EQ(whole.popular().size(), half.popular().size());
  ASSERT_FALSE(whole.popular().empty());
  for (std::size_t i = 0; i < whole.popular().size(); ++i) {
    EXPECT_EQ(whole.popular()[i].token, half.popular()[i].token);
    EXPECT_EQ(whole.popular()[i].score, half.popular()[i].score);
  }
  for (std::size_t i = 0; i < data.histories.size(); ++i) {
    SequenceOptions options;
    options.as_of = cut;
    options.target_until = {60 * kDay};
    EXPECT_EQ(make_sequence(data.histories[i], options).token, make_sequence(shortened.histories[i], options).token);
    const auto a = whole.markov(data.histories[i], cut);
    const auto b = half.markov(shortened.histories[i], cut);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].token, b[k].token);
      EXPECT_DOUBLE_EQ(a[k].score, b[k].score);
    }
  }
}

TEST(Dataset, TrainingAndServingReadAHistoryTheSameWay) {
  // The model would be asked about sequences it has never seen the like of.
  World world;
  base::Rng rng(4);
  world.append(random_events(world, rng, 0, 50 * kDay));
  DatasetOptions options = options_at(kNow, 3);
  options.services = {"item1"};
  const std::vector<catalog::Item> shelf{item_of("item2", "A > B", "Acme"), item_of("item3", "A > C", "Best"), item_of("item4", "A > B")};
  const auto learned = ItemFacts::learn(shelf, {});
  const Dataset training = world.dataset(options, learned);
  const auto facts = ItemFacts::with(shelf, {}, training.words);
  const Dataset serving = build_dataset(world.rows, facts, options, &training.vocabulary).value();
  EXPECT_EQ(serving.vocabulary.items(), training.vocabulary.items());
  EXPECT_EQ(serving.steps, training.steps);
  EXPECT_EQ(serving.unknown_items, training.unknown_items);
  ASSERT_EQ(serving.histories.size(), training.histories.size());
  for (std::size_t i = 0; i < training.histories.size(); ++i) {
    EXPECT_TRUE(same_steps(training.histories[i], serving.histories[i]));
  }
  options.services.clear();
  const Dataset all = build_dataset(world.rows, facts, options, &training.vocabulary).value();
  for (const auto& history : all.histories) {
    const auto window = store::read_person(world.rows, history.customer, kNow).value();
    EXPECT_TRUE(same_steps(build_history(history.customer, window, {&training.vocabulary, &facts, all.prices.get()}), history));
  }
}

TEST(Dataset, ADamagedTimelineStopsTheWorkInsteadOfVanishing) {
  // A model of half the shop would be taken for one of the whole.
  World world;
  world.add("ann", EventType::kPurchase, "tea", kDay);
  store::WriteBatch damage;
  ASSERT_TRUE(world.rows.scan("", [&](std::string_view key, std::string_view value) {
    std::string broken(value);
    broken.back() = static_cast<char>(broken.back() ^ 1);
    damage.put(std::string(key), broken);
    return true;
  }).ok());
  ASSERT_TRUE(world.rows.write(damage).ok());
  EXPECT_EQ(build_dataset(world.rows, {}, options_at(kNow)).error().code, base::ErrorCode::kDataLoss);
}

TEST(PriceBand, GrowsWithThePriceAndKnowsTheCurrency) {
  // 1000 yen and 1000 euros must not look alike to the model.
  const auto eur = base::Currency::parse("EUR").value();
  const auto jpy = base::Currency::parse("JPY").value();
  EXPECT_EQ(price_band_of({}), 0);
  EXPECT_EQ(price_band_of(base::Money(0, eur)), 0);
  EXPECT_EQ(price_band_of(base::Money(1, eur)), 1);
  EXPECT_EQ(price_band_of(base::Money(1000, eur)), price_band_of(base::Money(10, jpy)));
  EXPECT_EQ(price_band_of(base::Money(std::int64_t{1} << 62, eur)), kPriceBands - 1);
  std::uint8_t last = 1;
  for (std::int64_t minor = 1; minor < 1'000'000; minor = minor * 5 / 4 + 1) {
    const auto band = price_band_of(base::Money(minor, eur));
    EXPECT_GE(band, last);
    EXPECT_LT(band, kPriceBands);
    last = band;
  }
}

}  // namespace
}  // namespace beckon::features
