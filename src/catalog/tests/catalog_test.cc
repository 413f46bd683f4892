#include "beckon/catalog/catalog.h"

#include <gtest/gtest.h>

namespace beckon::catalog {
namespace {

base::Currency eur() { return base::Currency::parse("EUR").value(); }
FeedOptions euro_options() {
  FeedOptions options;
  options.currency = eur();
  return options;
}
Shop shop_of(const std::string& text) {
  auto root = base::TomlTable::parse(text, "beckon.toml").value();
  auto shop = load_shop(root).value();
  const auto status = root.finish();
  EXPECT_TRUE(status.ok()) << status.error().message;
  return shop;
}
const char* kShop = "[shop]\ncurrency = \"EUR\"\nzone = \"Europe/Berlin\"\n[channel.email]\nsend_cost = \"0.002\"\n";
const char* kCampaign =
    "[campaign]\nid = \"spring\"\nstarts = \"2026-03-01\"\nends = \"2026-04-01\"\nchannels = [\"email\"]\n"
    "[[offer]]\nid = \"ten\"\nkind = \"percent_off\"\npercent = 10\n[[budget]]\namount = \"100.00\"\n";

TEST(Feed, CsvTsvAndXmlGiveTheSameItem) {
  // A shop must not get other prices because its export has another form.
  const std::string csv = "id,title,title_zh,product_type,price,cost_of_goods_sold,stock\nt1,\"Tea, green\",绿茶,Drinks > Tea,4.50 EUR,2.00,7\n";
  const std::string tsv = "id\ttitle\ttitle_zh\tproduct_type\tprice\tcost_of_goods_sold\tstock\nt1\tTea, green\t绿茶\tDrinks > Tea\t4.50\t2.00 EUR\t7\n";
  const std::string xml =
      "<?xml version=\"1.0\"?><rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>Shop</title><item><g:id>t1</g:id>"
      "<title>Tea, green</title><title_zh>绿茶</title_zh><g:product_type>Drinks &gt; Tea</g:product_type><g:price>4.50 EUR</g:price>"
      "<g:cost_of_goods_sold>2.00 EUR</g:cost_of_goods_sold><g:quantity>7</g:quantity></item></channel></rss>";
  const auto a = parse_feed(csv, euro_options()).value();
  const auto b = parse_feed(tsv, euro_options()).value();
  const auto c = parse_feed(xml, euro_options()).value();
  ASSERT_EQ(a.items.size(), 1U);
  EXPECT_EQ(a.items, b.items);
  EXPECT_EQ(a.items, c.items);
  EXPECT_EQ(a.items[0].price.minor(), 450);
  EXPECT_EQ(a.items[0].title_in("zh", "en"), "绿茶");
  EXPECT_EQ(a.items[0].title_in("fr", "en"), "Tea, green");
  EXPECT_EQ(a.items[0].top_category(), "Drinks");
  EXPECT_EQ(decode_item(encode(a.items[0])).value(), a.items[0]);
  EXPECT_EQ(parse_feed(write_feed(a.items, "en"), euro_options())->items, a.items);
}

TEST(Feed, InchesAreNoOpenQuotesAndQuotedFieldsMayHoldLineEnds) {
  // A 27" monitor used to swallow every product up to the next one with inches.
  const auto tsv = parse_feed("id\ttitle\tprice\na\t27\" monitor\t1.00\nb\tcable\t2.00\nc\t\"12\"\" pan,\ntwo lines\"\t3.00\nd\t5\" \"x\t4.00\n",
                              euro_options()).value();
  ASSERT_EQ(tsv.items.size(), 4U);
  EXPECT_TRUE(tsv.rejects.empty());
  EXPECT_EQ(tsv.items[0].title_in("en", ""), "27\" monitor");
  EXPECT_EQ(tsv.items[2].title_in("en", ""), "12\" pan,\ntwo lines");
  EXPECT_EQ(parse_feed("id,price\na,1\n\"b\nb\",1\nc,x\n", euro_options())->rejects[0].line, 5);
}

TEST(Feed, BadRowsComeBackWithTheirReason) {
  // A negative price that slips in would make every discount free money; one that vanishes is never mended.
  const auto feed = parse_feed("id,title,price,cost,stock\n,x,1,,\na,x,-1,,\nb,x,1 USD,1 EUR,\nc,x,1,,many\nd,x,1\ne,x,1,,3\n", euro_options()).value();
  ASSERT_EQ(feed.items.size(), 1U);
  ASSERT_EQ(feed.rejects.size(), 5U);
  EXPECT_EQ(feed.rejects[0].reason, "missing");
  EXPECT_EQ(feed.rejects[1].reason, "negative");
  EXPECT_EQ(feed.rejects[1].line, 3);
  EXPECT_EQ(feed.rejects[2].reason, "mixed_currencies");
  EXPECT_EQ(feed.rejects[3].reason, "not_a_count");
  EXPECT_EQ(feed.rejects[4].reason, "wrong_column_count");
}

TEST(Feed, OrderLinesBecomeItemsWithoutLookingAhead) {
  // A catalogue made from order lines must not know tomorrow's price, nor take a stock note for a title.
  auto options = euro_options();
  options.columns = {{"id", "sku"}, {"title", "name"}, {"price", "price"}, {"time", "at"}};
  options.as_of = base::parse_time("2026-01-03", base::Zone::utc()).value();
  const auto feed = parse_feed("sku,name,price,at\na,Tea,4.00,2026-01-01\na,Tea,5.00,2026-01-02\na,damaged,0,2026-01-02\na,Tea,9.00,2026-01-09\n", options).value();
  ASSERT_EQ(feed.items.size(), 1U);
  EXPECT_EQ(feed.items[0].price.minor(), 500);
  EXPECT_EQ(feed.items[0].title.at("en"), "Tea");
}

TEST(Feed, AnXmlBombIsRefused) {
  // Entities that grow exponentially would take the machine down with one small file.
  const std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><rss><item><id>&b;</id></item></rss>";
  EXPECT_FALSE(parse_feed(bomb, euro_options()).ok());
  EXPECT_FALSE(parse_feed("<rss><item>", euro_options()).ok());
}

TEST(Offer, DiscountsAreExactAndNeverPassThePrice) {
  // A cent too much per coupon is real money; a negative price is a gift card for everybody.
  const base::Money price(1999, eur());
  Offer offer;
  offer.kind = OfferKind::kPercentOff;
  offer.depth_bp = 1000;
  EXPECT_EQ(offer.face_cost(price).minor(), 200);  // 199.9 rounded up: the shop never promises less than it says
  EXPECT_EQ(offer.price_after(price).minor(), 1799);
  offer.kind = OfferKind::kMoneyOff;
  offer.amount = base::Money(5000, eur());
  EXPECT_EQ(offer.price_after(price).minor(), 0);
  offer.kind = OfferKind::kFreeShipping;
  EXPECT_EQ(offer.face_cost(price).minor(), 5000);
  EXPECT_EQ(offer.price_after(price).minor(), 1999);
}

TEST(Config, ATypingErrorNamesTheNearestKey) {
  // A misspelt key that passes as a default sends at the wrong hour or spends the wrong budget.
  auto root = base::TomlTable::parse("[shop]\ncurrency = \"EUR\"\nquiet_form = \"21:00\"\n", "beckon.toml").value();
  ASSERT_TRUE(load_shop(root).ok());
  const auto status = root.finish();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("beckon.toml:3"), std::string::npos);
  EXPECT_NE(status.error().message.find("quiet_from"), std::string::npos);
}

TEST(Config, SendCostsKeepTheirFractionOfACent) {
  // 0.002 EUR times a million messages is 2,000 EUR: rounding it to 0 hides it.
  EXPECT_EQ(shop_of(kShop).channels.at("email").send_cost_micro, 200'000);
}

TEST(Campaign, IsReadAndRefusesWhatDoesNotFit) {
  // A campaign that names a channel nobody configured would plan messages that can never leave.
  const Shop shop = shop_of(kShop);
  const auto campaign = load_campaign(kCampaign, "spring.toml", shop);
  ASSERT_TRUE(campaign.ok()) << campaign.error().message;
  EXPECT_EQ(campaign->budgets[0].basis, BudgetBasis::kFace);
  EXPECT_EQ(campaign->offers[0].depth_bp, 1000);
  EXPECT_FALSE(campaign->first_touch);
  EXPECT_TRUE(load_campaign(std::string(kCampaign) + "[measure]\ntouch = \"first\"\n", "spring.toml", shop)->first_touch);
  EXPECT_FALSE(load_campaign(std::string(kCampaign) + "[measure]\ntouch = \"middle\"\n", "spring.toml", shop).ok());
  std::string bad = kCampaign;
  bad.replace(bad.find("\"email\""), 7, "\"emial\"");
  const auto refused = load_campaign(bad, "spring.toml", shop);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("did you mean 'email'"), std::string::npos);
  std::string no_budget = kCampaign;
  no_budget.resize(no_budget.find("[[budget]]"));
  EXPECT_FALSE(load_campaign(no_budget, "spring.toml", shop).ok());
  EXPECT_FALSE(load_campaign(std::string(kCampaign) + "basis = \"hope\"\n", "spring.toml", shop).ok());
}

}  // namespace
}  // namespace beckon::catalog
