// A comparison of strategies would reward the wrong one if the simulated truth were not what it claims to be.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "beckon/base/json.h"
#include "beckon/market/market.h"

namespace beckon::market {
namespace {

Market make(MarketOptions options) {
  auto market = Market::make(options);
  EXPECT_TRUE(market.ok());
  return std::move(market).value();
}

const Market& small() {
  static const Market kMarket = make({.seed = 7, .customers = 400, .items = 120, .history_days = 90});
  return kMarket;
}

// One message to every customer about the item he looked at most before `at`.
std::vector<Treatment> messages(const Market& market, base::Instant at, std::int64_t discount_bp) {
  std::map<std::int64_t, std::map<std::int64_t, int>> views;
  for (const auto& event : market.history(market.options().start, at)) {
    ++views[event.customer][event.item];
  }
  std::vector<Treatment> out;
  for (std::int64_t c = 0; c < market.options().customers; ++c) {
    const auto& mine = views[c];
    const auto most = std::max_element(mine.begin(), mine.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    out.push_back({.customer = c, .item = most == mine.end() ? c % market.options().items : most->first, .discount_bp = discount_bp,
                   .channel = "email", .at = at, .delivery = "d" + std::to_string(c), .campaign = "spring", .coupon = "SPRING"});
  }
  return out;
}

std::vector<Event> purchases(const std::vector<Event>& events) {
  std::vector<Event> out;
  std::copy_if(events.begin(), events.end(), std::back_inserter(out), [](const Event& e) { return e.kind == EventKind::kPurchase; });
  return out;
}

TEST(Market, TheSameOptionsGiveTheSameShopForAnyNumberOfWorkers) {
  const auto alone = small().history(small().options().start, small().history_end());
  base::ThreadExecutor threads(3);
  MarketOptions options = small().options();
  options.executor = &threads;
  EXPECT_EQ(make(options).history(options.start, small().history_end()), alone);
  options.seed = 8;
  EXPECT_NE(make(options).history(options.start, small().history_end()), alone);
  EXPECT_GT(alone.size(), 10'000U);
  EXPECT_TRUE(std::is_sorted(alone.begin(), alone.end(), [](const Event& a, const Event& b) { return a.at < b.at; }));
}

TEST(Market, SlicesOfTimeAddUpToTheWhole) {
  const auto from = small().options().start;
  const auto middle = from.plus_ms(40 * base::kDayMs + 12'345);
  const auto to = small().history_end();
  const auto sent = messages(small(), middle.plus_ms(-3 * base::kDayMs), 1500);
  const auto whole = small().respond(sent, from, to);
  auto parts = small().respond(sent, from, middle);
  const auto rest = small().respond(sent, middle, to);
  parts.insert(parts.end(), rest.begin(), rest.end());
  EXPECT_EQ(parts, whole);
}

TEST(Market, AnUntreatedCustomerDoesTheSameWhateverOthersReceive) {
  const auto at = small().history_end();
  auto sent = messages(small(), at, 3000);
  std::erase_if(sent, [](const Treatment& t) { return t.customer % 2 == 0; });
  const auto to = at.plus_ms(14 * base::kDayMs);
  auto with = small().respond(sent, at, to);
  auto without = small().history(at, to);
  std::erase_if(with, [](const Event& e) { return e.customer % 2 == 1; });
  std::erase_if(without, [](const Event& e) { return e.customer % 2 == 1; });
  EXPECT_EQ(with, without);
}

TEST(Market, WithoutEffectsNobodyBuysMoreOrLess) {
  MarketOptions options = small().options();
  options.effect_scale = 0;
  const Market market = make(options);
  const auto at = market.history_end();
  const auto to = at.plus_ms(14 * base::kDayMs);
  const auto sent = messages(market, at, 2000);
  auto with = purchases(market.respond(sent, at, to));
  auto without = purchases(market.history(at, to));
  for (auto* list : {&with, &without}) {
    for (auto& event : *list) {  // a coupon may be used; that a purchase happens must not change
      event.unit_price_minor = 0;
      event.coupon.clear();
      event.campaign.clear();
    }
  }
  EXPECT_EQ(with, without);
  for (int c = 0; c < 30; ++c) {
    EXPECT_EQ(market.true_effect(sent[static_cast<std::size_t>(c)], 20).purchases, 0);
    EXPECT_LE(market.true_effect(sent[static_cast<std::size_t>(c)], 20).margin_minor, 0);
  }
}

TEST(Market, TheTruthIsWhatHappensOnAverage) {
  const Market market = make({.seed = 3, .customers = 3000, .items = 120, .history_days = 60});
  const auto at = market.history_end();
  const auto to = at.plus_ms(8 * base::kDayMs);
  double promised = 0;
  double promised_margin = 0;
  double happened = 0;
  double happened_margin = 0;
  const auto total = [&](const std::vector<Event>& events, int sign) {
    for (const auto& event : purchases(events)) {
      happened += sign;
      happened_margin += sign * static_cast<double>(event.quantity * (event.unit_price_minor -
                                                    market.items()[static_cast<std::size_t>(event.item)].cost_minor));
    }
  };
  const auto sent = messages(market, at, 2000);
  total(market.respond(sent, at, to), 1);
  total(market.history(at, to), -1);
  for (const auto& treatment : sent) {
    const Effect effect = market.true_effect(treatment, 30);
    promised += effect.purchases;
    promised_margin += effect.margin_minor;
  }
  EXPECT_GT(promised, 60);
  EXPECT_NEAR(happened, promised, 4 * std::sqrt(promised) + 10);
  EXPECT_NEAR(happened_margin, promised_margin, 0.4 * std::abs(promised_margin) + 30'000);
}

TEST(Market, NaturesBehaveAsNamed) {
  const auto at = small().history_end();
  std::map<Nature, Effect> sum;
  std::map<Nature, double> count;
  for (const auto& treatment : messages(small(), at, 2000)) {
    const Effect effect = small().true_effect(treatment, 40);
    const Nature nature = small().nature(treatment.customer);
    sum[nature].purchases += effect.purchases;
    sum[nature].margin_minor += effect.margin_minor;
    count[nature] += 1;
  }
  const auto mean = [&](Nature nature) { return sum[nature].purchases / count[nature]; };
  EXPECT_GT(mean(Nature::kPersuadable), 0.03);
  EXPECT_GT(mean(Nature::kPersuadable), 5 * mean(Nature::kSureThing));
  EXPECT_GT(mean(Nature::kPersuadable), 5 * mean(Nature::kLostCause));
  EXPECT_LT(mean(Nature::kSleepingDog), 0);
  EXPECT_GT(sum[Nature::kPersuadable].margin_minor, 0);
  EXPECT_LT(sum[Nature::kSureThing].margin_minor, 0);  // the coupon is given away on purchases that come anyway
  EXPECT_LT(sum[Nature::kSleepingDog].margin_minor, 0);
}

TEST(Market, DeeperDiscountsPersuadeMoreAndManyMessagesTire) {
  const auto at = small().history_end();
  double plain = 0;
  double deep = 0;
  for (const auto& treatment : messages(small(), at, 0)) {
    Treatment cheaper = treatment;
    cheaper.discount_bp = 3000;
    plain += small().true_effect(treatment, 10).purchases;
    deep += small().true_effect(cheaper, 10).purchases;
  }
  EXPECT_GT(deep, 1.3 * plain);
  std::vector<Treatment> many;
  for (int day = 0; day < 10; ++day) {
    for (auto treatment : messages(small(), at.plus_ms(day * base::kDayMs), 0)) {
      treatment.delivery += "-" + std::to_string(day);
      many.push_back(treatment);
    }
  }
  std::map<std::string, int> opened;
  std::map<std::string, int> delivered;
  std::set<std::pair<std::int64_t, std::int64_t>> left;
  for (const auto& event : small().respond(many, at, at.plus_ms(20 * base::kDayMs))) {
    const std::string day = event.delivery.substr(event.delivery.find('-') + 1);
    opened[day] += event.kind == EventKind::kOpened ? 1 : 0;
    delivered[day] += event.kind == EventKind::kDelivered ? 1 : 0;
  }
  EXPECT_LT(opened["9"] * 1.5, opened["0"]);
  EXPECT_LT(delivered["9"], delivered["0"]);  // some have unsubscribed
}

TEST(Market, OrderMattersSoThatAMarkovChainBeatsPopularity) {
  const auto from = small().options().start;
  const auto split = from.plus_ms(75 * base::kDayMs);
  std::map<std::int64_t, std::int64_t> last;
  std::map<std::int64_t, int> popular;
  std::map<std::int64_t, std::map<std::int64_t, int>> follows;
  for (const auto& event : small().history(from, split)) {
    if (event.kind == EventKind::kView) {
      ++popular[event.item];
      if (last.contains(event.customer)) {
        ++follows[last[event.customer]][event.item];
      }
      last[event.customer] = event.item;
    }
  }
  const auto top = [](const std::map<std::int64_t, int>& counts) {
    std::vector<std::pair<int, std::int64_t>> order;
    for (const auto& [item, count] : counts) {
      order.emplace_back(-count, item);
    }
    std::sort(order.begin(), order.end());
    std::set<std::int64_t> best;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, order.size()); ++i) {
      best.insert(order[i].second);
    }
    return best;
  };
  const auto best = top(popular);
  int views = 0;
  int by_popularity = 0;
  int by_chain = 0;
  for (const auto& event : small().history(split, small().history_end())) {
    if (event.kind == EventKind::kView) {
      if (last.contains(event.customer)) {
        ++views;
        by_popularity += best.contains(event.item) ? 1 : 0;
        by_chain += top(follows[last[event.customer]]).contains(event.item) ? 1 : 0;
      }
      last[event.customer] = event.item;
    }
  }
  EXPECT_GT(views, 1000);
  EXPECT_GT(by_chain, 2 * by_popularity);
}

TEST(Market, HabitsAndCompanionsLeadToPurchases) {
  std::map<std::pair<std::int64_t, std::int64_t>, int> bought;
  int orders = 0;
  for (const auto& event : purchases(small().history(small().options().start, small().history_end()))) {
    ++bought[{event.customer, event.item}];
    ++orders;
  }
  const auto repeated = std::count_if(bought.begin(), bought.end(), [](const auto& b) { return b.second > 1; });
  EXPECT_GT(repeated, orders / 20);
}

TEST(Writers, LinesAreTheSegmentSpecWithUniqueIds) {
  const auto at = small().history_end();
  const auto events = small().respond(messages(small(), at.plus_ms(-base::kDayMs), 1500), at.plus_ms(-5 * base::kDayMs), at);
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const auto& event : events) {
    const auto line = base::parse_json(small().to_segment_json(event));
    ASSERT_TRUE(line.ok());
    ids.insert((*line)["messageId"]);
    names.insert((*line)["event"]);
    EXPECT_EQ((*line)["userId"], small().people()[static_cast<std::size_t>(event.customer)].id);
    EXPECT_EQ((*line)["timestamp"], base::format_time(event.at));
    if (event.kind == EventKind::kPurchase) {
      EXPECT_EQ((*line)["properties"]["products"][0]["product_id"], small().items()[static_cast<std::size_t>(event.item)].id);
      EXPECT_EQ((*line)["properties"]["order_id"], event.order);
    }
  }
  EXPECT_EQ(ids.size(), events.size());
  EXPECT_TRUE(names.contains("Order Completed") && names.contains("Email Opened") && names.contains("Product Viewed"));
  const auto identify = base::parse_json(small().identify_json(123));
  EXPECT_EQ((*identify)["traits"]["email"], "user-000123@example.test");
  int consented = 0;
  for (std::int64_t c = 0; c < small().options().customers; ++c) {
    consented += small().consent_json(c).empty() ? 0 : 1;
  }
  EXPECT_NEAR(consented / 400.0, 0.85, 0.06);
}

TEST(Writers, TheCatalogueHasEveryItemWithExactPrices) {
  const std::string csv = small().catalog_csv();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 121);
  EXPECT_EQ(csv.rfind("id,title_en,title_zh,category,brand,price,cost,stock,link,image_link\nitem-0000,", 0), 0U);
  MarketOptions yen = small().options();
  yen.currency = "JPY";
  EXPECT_EQ(make(yen).catalog_csv().find("0.00"), std::string::npos);
  yen.currency = "XYZ";
  EXPECT_FALSE(Market::make(yen).ok());
  EXPECT_FALSE(Market::make({.customers = 0}).ok());
}

}  // namespace
}  // namespace beckon::market
