// "Was 12, now 9" could be a lie, and a message could name a price nobody ever asked for, if one of these broke.
#include "beckon/store/shelf.h"

#include <gtest/gtest.h>

#include "beckon/base/rng.h"
#include "twin.h"

namespace beckon::store {
namespace {

base::Currency eur() { return base::Currency::parse("EUR").value(); }

catalog::Item item_of(const std::string& market, const std::string& id, std::int64_t price_minor) {
  catalog::Item item;
  item.id = base::ItemId(id);
  item.market = market;
  item.price = base::Money(price_minor, eur());
  return item;
}

TEST(Shelf, AnItemOfOneMarketIsNotSoldInAnother) {
  // A price in the wrong currency would go out to a whole country.
  MemoryKeyValue rows;
  Shelf shelf(rows);
  ASSERT_TRUE(shelf.import({item_of("de", "tea", 400), item_of("", "mug", 900), item_of("at", "tea", 450)}, {1}).ok());
  EXPECT_EQ(shelf.item("de", base::ItemId("tea"))->value().price.minor(), 400);
  EXPECT_EQ(shelf.item("at", base::ItemId("tea"))->value().price.minor(), 450);
  EXPECT_FALSE(shelf.item("fr", base::ItemId("tea"))->has_value());
  EXPECT_TRUE(shelf.item("fr", base::ItemId("mug"))->has_value());  // without a market: sold everywhere
  EXPECT_FALSE(shelf.item("de", base::ItemId("te"))->has_value());
  EXPECT_TRUE(shelf.prices("de", base::ItemId("te"))->empty());
  EXPECT_TRUE(shelf.prices("d", base::ItemId("etea"))->empty());
}

TEST(Shelf, PricesOfTheSameMomentAreBothKept) {
  // Under --as-of the clock stands still: the second import must not rewrite what the first one recorded.
  MemoryKeyValue rows;
  Shelf shelf(rows);
  for (const std::int64_t price : {500, 400, 450}) {
    ASSERT_TRUE(shelf.import({item_of("", "tea", price)}, {7}).ok());
  }
  std::vector<std::int64_t> prices;
  const auto points = shelf.prices("", base::ItemId("tea")).value();
  for (const auto& point : points) {
    prices.push_back(point.price.minor());
    EXPECT_EQ(point.at.ms, 7);
  }
  EXPECT_EQ(prices, (std::vector<std::int64_t>{500, 400, 450}));
}

// Random imports; the ledger of the twin only grows.
void walk(KeyValue& rows, std::uint64_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Rng rng(seed);
  Shelf shelf(rows);
  std::map<std::pair<std::string, std::string>, catalog::Item> items;
  std::map<std::pair<std::string, std::string>, std::vector<PricePoint>> ledger;
  std::int64_t now = 1;
  for (int step = 0; step < steps; ++step) {
    now += static_cast<std::int64_t>(rng.below(3));
    std::vector<catalog::Item> feed;
    std::map<std::pair<std::string, std::string>, catalog::Item> latest;
    for (std::uint64_t n = rng.below(5); n > 0; --n) {
      feed.push_back(item_of(rng.chance(0.5) ? "de" : "", "item" + std::to_string(rng.below(4)), 100 + static_cast<std::int64_t>(rng.below(3))));
      if (rng.chance(0.3)) {
        feed.back().sale_price = base::Money(static_cast<std::int64_t>(rng.below(2)), eur());
      }
      feed.back().stock = static_cast<std::int64_t>(rng.below(2));
      latest[{feed.back().market, feed.back().id.str()}] = feed.back();
    }
    ImportCounts expected;
    for (const auto& [key, item] : latest) {
      const auto known = items.find(key);
      ++(known == items.end() ? expected.added : known->second == item ? expected.unchanged : expected.changed);
      if (known == items.end() || known->second.price != item.price || known->second.sale_price != item.sale_price) {
        ledger[key].push_back({{now}, item.price, item.sale_price});
        ++expected.price_points;
      }
      items[key] = item;
    }
    const auto counts = shelf.import(feed, {now});
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(counts->added, expected.added);
    EXPECT_EQ(counts->changed, expected.changed);
    EXPECT_EQ(counts->unchanged, expected.unchanged);
    EXPECT_EQ(counts->price_points, expected.price_points);
    std::vector<catalog::Item> all;
    for (const auto& [key, item] : items) {
      all.push_back(item);
      EXPECT_EQ(shelf.prices(key.first, base::ItemId(key.second)).value(), ledger[key]);
      EXPECT_EQ(shelf.item(key.first, base::ItemId(key.second))->value(), item);
    }
    EXPECT_EQ(shelf.items().value(), all);
  }
}

TEST(Shelf, BehavesLikeTheTwin) {
  // A price that the ledger lost cannot be shown as the one before.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryKeyValue rows;
    walk(rows, seed, 40);
  }
  const std::string folder = test_folder("shelf");
  {
    auto rows = open_rocksdb(folder);
    ASSERT_TRUE(rows.ok());
    walk(**rows, 21, 60);
  }
  std::filesystem::remove_all(folder);
}

TEST(Shelf, ADamagedItemIsReportedNotSkipped) {
  // An item that silently vanishes from the shelf is never promoted again and nobody knows why.
  MemoryKeyValue rows;
  Shelf shelf(rows);
  ASSERT_TRUE(shelf.import({item_of("", "tea", 400)}, {1}).ok());
  WriteBatch damage;
  ASSERT_TRUE(rows.scan("", [&](std::string_view key, std::string_view value) {
    std::string broken(value);
    broken.back() = static_cast<char>(broken.back() ^ 1);
    damage.put(std::string(key), broken);
    return true;
  }).ok());
  ASSERT_TRUE(rows.write(damage).ok());
  EXPECT_EQ(shelf.items().error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(shelf.item("", base::ItemId("tea")).error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(shelf.prices("", base::ItemId("tea")).error().code, base::ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace beckon::store
