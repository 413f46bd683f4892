// A model would read one brand for another, or know tomorrow's prices, if one of these broke.
#include "beckon/features/item_facts.h"

#include <gtest/gtest.h>

#include "world.h"

namespace beckon::features {
namespace {

using events::EventType;

TEST(ItemFacts, FrequentWordsComeFirstAndKeepTheirNumbersInALaterTraining) {
  // A network that is trained on would find its tables under other words.
  const std::vector<catalog::Item> before{item_of("a", "Food > Tea", "Acme"), item_of("b", "Food > Tea"), item_of("c", "Food > Beer", "Zeta"),
                                          item_of("d", "Home")};
  const auto first = ItemFacts::learn(before, {});
  EXPECT_EQ(first.words().top_categories, (std::vector<std::string>{"Food", "Home"}));
  EXPECT_EQ(first.words().categories, (std::vector<std::string>{"Food > Tea", "Food > Beer", "Home"}));
  EXPECT_EQ(first.words().brands, (std::vector<std::string>{"Acme", "Zeta"}));
  EXPECT_EQ(first.codes("c"), (ItemCodes{1, 2, 2}));
  EXPECT_EQ(first.codes("nobody knows"), ItemCodes{});
  auto after = before;
  for (const char* id : {"e", "f", "g", "h"}) {
    after.push_back(item_of(id, "Books", "Aaron"));
  }
  const auto second = ItemFacts::learn(after, {}, first.words());
  EXPECT_EQ(second.codes("c"), first.codes("c"));
  EXPECT_EQ(second.codes("e"), (ItemCodes{3, 4, 3}));
  const auto served = ItemFacts::with(after, {}, first.words());  // the old model has no place for books
  EXPECT_EQ(served.codes("e"), ItemCodes{});
  EXPECT_EQ(served.words(), first.words());
}

TEST(ItemFacts, ManyWordsAreCutAndNoneIsNoProblem) {
  // A marketplace with a million brands must not need a table of a million rows; a shop without categories must work.
  std::vector<catalog::Item> items;
  for (int i = 0; i < 3000; ++i) {
    items.push_back(item_of("i" + std::to_string(i), "Top" + std::to_string(i) + " > x", "brand" + std::to_string(i)));
  }
  const auto sizes = side_sizes(ItemFacts::learn(items, {}).words());
  EXPECT_EQ(std::vector<std::int32_t>(sizes.end() - 3, sizes.end()), (std::vector<std::int32_t>{256, 2048, 2048}));
  const auto bare = side_sizes(ItemFacts::learn({item_of("a")}, {}).words());
  EXPECT_EQ(std::vector<std::int32_t>(bare.end() - 3, bare.end()), (std::vector<std::int32_t>{1, 1, 1}));
  FactOptions none;
  none.categories = none.brands = none.promotion = false;
  const auto off = side_sizes(ItemFacts::learn(items, none).words());
  EXPECT_EQ(std::vector<std::int32_t>(off.end() - 4, off.end()), (std::vector<std::int32_t>{1, 1, 1, 1}));
}

base::Money euros(std::int64_t minor) { return {minor, base::Currency::parse("EUR").value()}; }

TEST(UsualPrices, ADiscountIsSeenAndOnlyFromWhatWasKnownThen) {
  // The flag would say "was cheaper than it later became", which nobody could know when it was bought.
  UsualPrices prices;
  for (int day = 1; day <= 5; ++day) {
    prices.add("tea", euros(1000), {day * kDay});
  }
  const auto offer = prices.add("tea", euros(800), {6 * kDay + 1});
  for (int day = 7; day <= 30; ++day) {
    prices.add("tea", euros(800), {day * kDay});  // what was an offer has become the price
  }
  const auto first = prices.add("mug", euros(500), {kDay});
  const auto yen = prices.add("tea", base::Money(800, base::Currency::parse("JPY").value()), {6 * kDay});
  prices.finish();
  EXPECT_TRUE(prices.below_usual(offer, {6 * kDay + 1}));
  EXPECT_FALSE(prices.below_usual(offer, {29 * kDay}));
  EXPECT_FALSE(prices.below_usual(first, {kDay}));        // nothing was known the day before
  EXPECT_FALSE(prices.below_usual(yen, {6 * kDay}));      // another currency is another price
  EXPECT_FALSE(prices.below_usual(prices.point("tea", euros(960)), {6 * kDay}));  // a rounding, no offer
  EXPECT_TRUE(prices.below_usual(prices.point("tea", euros(940)), {6 * kDay}));
  EXPECT_FALSE(prices.below_usual(prices.point("tea", {}), {6 * kDay}));
  EXPECT_FALSE(prices.below_usual(prices.point("unknown", euros(1)), {6 * kDay}));
}

TEST(Promotion, CouponsAndPricesMarkASwitchOffMarksNothing) {
  // A model trained without the column would meet values that it never saw.
  World world;
  auto regular = world.make("ann", EventType::kPurchase, "tea", 10 * kDay);
  auto cheaper = world.make("bob", EventType::kPurchase, "tea", 12 * kDay);
  cheaper.unit_price = euros(700);
  auto coupon = world.make("cid", EventType::kPurchase, "tea", 13 * kDay);
  coupon.coupon = "SAVE";
  auto free = world.make("dan", EventType::kPurchase, "tea", 14 * kDay);
  free.unit_price = {};
  world.append({regular, cheaper, coupon, free});
  const Dataset data = world.dataset(options_at(kNow));
  const auto promotion_of = [&](const Dataset& set, const char* who) { return history_of(set, who)->steps.at(0).promotion; };
  EXPECT_EQ(promotion_of(data, "ann"), Promotion::kUsualPrice);
  EXPECT_EQ(promotion_of(data, "bob"), Promotion::kPromoted);
  EXPECT_EQ(promotion_of(data, "cid"), Promotion::kPromoted);
  EXPECT_EQ(promotion_of(data, "dan"), Promotion::kUnknown);
  ItemWords off;
  off.promotion = false;
  const Dataset without = world.dataset(options_at(kNow), ItemFacts::with({}, {}, off));
  for (const char* who : {"ann", "bob", "cid", "dan"}) {
    EXPECT_EQ(promotion_of(without, who), Promotion::kUnknown);
  }
}

TEST(NewItems, GetTokensBehindTheOthersAndTeachNothing) {
  // A network would be trained on rows that hold a single event, or a new article could never be recommended.
  World world;
  for (int day = 1; day <= 4; ++day) {
    world.add("ann", EventType::kPurchase, "tea", day * kDay);
  }
  world.add("ann", EventType::kPurchase, "rare", 9 * kDay);
  world.add("ann", EventType::kPurchase, "post", 9 * kDay);
  FactOptions rules;
  rules.sensitive_categories = {"Health"};
  rules.services = {"fee"};
  auto untitled = item_of("untitled");
  untitled.title.clear();
  const auto facts = ItemFacts::learn({item_of("tea"), item_of("new-b"), item_of("new-a"), item_of("pill", "Health"), item_of("fee"), untitled}, rules);
  DatasetOptions options = options_at(kNow, 2);
  options.services = {"post"};
  const Dataset without = world.dataset(options, facts);
  EXPECT_EQ(without.vocabulary.items(), (std::vector<std::string>{"", "tea"}));
  EXPECT_EQ(without.vocabulary.warm_size(), 2);
  options.new_items = true;
  const Dataset data = world.dataset(options, facts);
  EXPECT_EQ(data.vocabulary.items(), (std::vector<std::string>{"", "tea", "rare", "new-a", "new-b"}));
  EXPECT_EQ(data.vocabulary.warm_size(), 2);
  options.items_max = 3;
  EXPECT_EQ(world.dataset(options, facts).vocabulary.items(), (std::vector<std::string>{"", "tea", "rare", "new-a"}));
  SequenceOptions all;
  all.as_of = all.target_until = kNow;
  std::vector<model::Sequence> sequences{make_sequence(data.histories[0], all)};
  EXPECT_EQ(sequences[0].token, (std::vector<std::int32_t>{1, 1, 1, 1, 2}));
  forget_new_items(data.vocabulary.warm_size(), sequences);
  EXPECT_EQ(sequences[0].token, (std::vector<std::int32_t>{1, 1, 1, 1, 0}));
  EXPECT_EQ(sequences[0].target, (std::vector<std::int32_t>{1, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace beckon::features
