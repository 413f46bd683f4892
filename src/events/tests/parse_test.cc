// A shop's lines would be misread, lost or believed although impossible if one of these broke.
#include "beckon/events/parse.h"

#include <gtest/gtest.h>

#include "beckon/base/rng.h"

namespace beckon::events {
namespace {

ParseOptions options() {
  ParseOptions out;
  out.now = base::parse_time("2026-06-01T00:00:00Z", base::Zone::utc()).value();
  out.currency = base::Currency::parse("EUR").value();
  return out;
}

RawEvent one(std::string_view line) {
  JsonLineParser parser(options());
  auto parsed = parser.parse(line);
  EXPECT_EQ(parsed.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<RawEvent>(parsed[0])) << std::get<Reject>(parsed[0]).field << " "
                                                           << std::get<Reject>(parsed[0]).reason;
  return std::get<RawEvent>(parsed[0]);
}

std::string reject(std::string_view line) {
  JsonLineParser parser(options());
  auto parsed = parser.parse(line);
  if (!std::holds_alternative<Reject>(parsed.at(0))) {
    return "accepted";
  }
  return std::get<Reject>(parsed[0]).field + ":" + std::get<Reject>(parsed[0]).reason;
}

TEST(Segment, OrderWithTwoProducts) {
  const auto event = one(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m1",
    "timestamp":"2026-05-01T10:00:00Z","properties":{"order_id":"o1","currency":"USD","coupon":"SPRING",
    "products":[{"product_id":"a","price":12.5,"quantity":2},{"sku":"b","price":"3"}]}})");
  EXPECT_EQ(event.type, EventType::kPurchase);
  EXPECT_EQ(event.user_id.open(), "u1");
  ASSERT_EQ(event.items.size(), 2U);
  EXPECT_EQ(event.items[0].quantity, 2);
  EXPECT_EQ(event.items[0].unit_price.to_string(), "12.50 USD");
  EXPECT_EQ(event.items[1].item, "b");
  EXPECT_EQ(event.coupon, "SPRING");
}

std::vector<std::int64_t> discounts(const std::string& order) {
  const auto event = one(R"({"type":"track","event":"Order Completed","userId":"u","timestamp":"2026-05-01T10:00:00Z","properties":{)" + order + "}}");
  std::vector<std::int64_t> out;
  for (const auto& line : event.items) {
    out.push_back(line.discount_minor.value_or(-1));
  }
  return out;
}

TEST(Discounts, OfAnOrderArePutOnItsLinesToTheLastCent) {
  // The discounts of the lines would not add up to those of the orders, and the month's books to nothing at all.
  using Minor = std::vector<std::int64_t>;
  EXPECT_EQ(discounts(R"("products":[{"product_id":"a","price":10},{"product_id":"b","price":5}])"), (Minor{-1, -1})) << "not stated";
  EXPECT_EQ(discounts(R"("products":[{"product_id":"a","price":9,"quantity":3,"discount":"1.00"},{"product_id":"b","price":5}])"), (Minor{300, -1}))
      << "in a list a discount is that of one piece";
  EXPECT_EQ(discounts(R"("discount":1.00,"products":[{"product_id":"a","price":1},{"product_id":"b","price":1},{"product_id":"c","price":1}])"),
            (Minor{33, 34, 33}));
  EXPECT_EQ(discounts(R"("discount":-5,"products":[{"product_id":"a","price":9,"discount":2},{"product_id":"b","price":1}])"), (Minor{470, 30}))
      << "the order's total holds what its lines state; a minus sign means the same";
  EXPECT_EQ(discounts(R"("discount":1,"products":[{"product_id":"a","price":9,"discount":2}])"), (Minor{200}));
  EXPECT_EQ(discounts(R"("discount":1.01,"products":[{"product_id":"a","price":0},{"product_id":"b"}])"), (Minor{50, 51})) << "nothing paid: alike";
  EXPECT_EQ(discounts(R"("product_id":"a","price":9,"quantity":2,"discount":1.5)"), (Minor{150})) << "an order of one line states its total";
}

TEST(Discounts, ThatCannotBeAreRefusedAndOthersWordsAreNotRead) {
  // An order with a discount in words would be booked as one without.
  const auto of = [](const std::string& kind, const std::string& rest) {
    return reject(R"({"type":"track","event":")" + kind + R"(","userId":"u","properties":{"product_id":"a","price":1,"quantity":900000,)" + rest + "}}");
  };
  EXPECT_EQ(of("Order Completed", R"("discount":"10 %")"), "discount:impossible_value");
  EXPECT_EQ(of("Order Completed", R"("discount":"99999999999999999999")"), "discount:impossible_value");
  EXPECT_EQ(of("Order Completed", R"("products":[{"product_id":"a","quantity":900000,"discount":"90000000000000000"}])"), "discount:impossible_value");
  EXPECT_EQ(of("Order Completed", R"("discount":1,"products":[{"product_id":"a","price":1,"currency":"USD"}])"), "discount:another_currency");
  EXPECT_EQ(of("Product Viewed", R"("discount":"10 %")"), "accepted");
}

TEST(Discounts, ALineMayHaveACouponOfItsOwn) {
  // The coupon of one product would be booked on the whole order, or not at all.
  const auto event = one(R"({"type":"track","event":"Order Completed","userId":"u","timestamp":"2026-05-01T10:00:00Z","properties":{"coupon":"ALL",
    "products":[{"product_id":"a","price":1,"coupon":"MINE"},{"product_id":"b","price":1}]}})");
  EXPECT_EQ(event.coupon, "ALL");
  EXPECT_EQ(event.items[0].coupon, "MINE");
  EXPECT_EQ(event.items[1].coupon, "");
}

TEST(Segment, ClockSkewIsCorrectedOnlyWithSentAndReceived) {
  const auto skewed = one(R"({"type":"track","event":"Product Viewed","userId":"u","originalTimestamp":"2026-05-01T12:00:00Z",
    "sentAt":"2026-05-01T12:00:05Z","receivedAt":"2026-05-01T10:00:06Z","properties":{"product_id":"a"}})");
  EXPECT_EQ(base::format_time(skewed.at), "2026-05-01T10:00:01Z");
  EXPECT_TRUE(skewed.clock_corrected);
  const auto plain = one(R"({"type":"track","event":"Product Viewed","userId":"u","timestamp":"2026-05-01T12:00:00Z",
    "sentAt":"2026-05-01T12:00:05Z","properties":{"product_id":"a"}})");
  EXPECT_FALSE(plain.clock_corrected);
}

TEST(Segment, ConsentAndUnsubscribeReadTheStrictestWay) {
  const auto granted = one(R"({"type":"track","event":"Consent Granted","userId":"u","properties":{"purposes":["marketing"],"channels":["email","push"]}})");
  EXPECT_EQ(granted.consents.size(), 2U);
  const auto vague = one(R"({"type":"track","event":"Consent Granted","userId":"u","properties":{}})");
  EXPECT_TRUE(vague.consents.empty());
  const auto gone = one(R"({"type":"track","event":"Unsubscribed","userId":"u"})");
  ASSERT_EQ(gone.consents.size(), 1U);
  EXPECT_EQ(gone.consents[0].channel, "*");
  EXPECT_FALSE(gone.consents[0].granted);
}

TEST(OtherForms, Ga4AndCloudEventsAreRecognisedByThemselves) {
  JsonLineParser parser(options());
  const auto ga4 = parser.parse(R"({"client_id":"c1","timestamp_micros":"1777629600000000","events":[
    {"name":"view_item","params":{"currency":"EUR","items":[{"item_id":"x","price":9.99}]}},{"name":"page_view"}]})");
  ASSERT_EQ(ga4.size(), 2U);
  EXPECT_EQ(std::get<RawEvent>(ga4[0]).items[0].unit_price.minor(), 999);
  EXPECT_EQ(std::get<RawEvent>(ga4[1]).type, EventType::kVisit);
  const auto cloud = one(R"({"specversion":"1.0","id":"7","source":"/shop","type":"com.shop.add_to_cart","subject":"u9",
    "time":"2026-05-01T10:00:00+02:00","data":{"product_id":"x","quantity":3}})");
  EXPECT_EQ(cloud.type, EventType::kCart);
  EXPECT_EQ(cloud.message_id, "/shop\n7");
  EXPECT_EQ(base::format_time(cloud.at), "2026-05-01T08:00:00Z");
}

TEST(Rejects, SayFieldAndReason) {
  EXPECT_EQ(reject("{"), ":not_json");
  EXPECT_EQ(reject("{\"type\":\"\xff\"}"), ":not_utf8");
  EXPECT_EQ(reject("[1]"), ":not_json");
  EXPECT_EQ(reject(R"({"a":1})"), "type:unknown_form");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","properties":{"product_id":"a"}})"), "userId:missing");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","userId":"u"})"), "product_id:missing");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","userId":"u","timestamp":"yesterday","properties":{"product_id":"a"}})"), "timestamp:not_a_time");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","userId":"u","timestamp":"2030-01-01","properties":{"product_id":"a"}})"), "timestamp:in_the_future");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","userId":"u","properties":{"product_id":"a","price":-1}})"), "price:impossible_value");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Viewed","userId":"u","properties":{"product_id":"a","currency":"XXQ"}})"), "currency:unknown_currency");
  EXPECT_EQ(reject(R"({"type":"track","event":"Product Added","userId":"u","properties":{"product_id":"a","quantity":0.5}})"), "quantity:impossible_value");
}

TEST(Csv, MappingReadsPurchasesCancellationsAndQuotes) {
  CsvMapping mapping;
  mapping.user_id = "CustomerID";
  mapping.time = "InvoiceDate";
  mapping.item = "StockCode";
  mapping.quantity = "Quantity";
  mapping.price = "UnitPrice";
  mapping.order_id = "InvoiceNo";
  mapping.cancel_prefix = "C";
  mapping.trait_columns["country"] = "Country";
  const std::string header = "\xEF\xBB\xBFInvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r";
  const auto parser = CsvParser::make(mapping, header, options());
  ASSERT_TRUE(parser.ok()) << parser.error().message;
  const auto bought = std::get<RawEvent>(parser->parse("5,85123A,\"WHITE, \"\"T\"\" LIGHT\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom\r"));
  EXPECT_EQ(bought.type, EventType::kPurchase);
  EXPECT_EQ(bought.items[0].unit_price.minor(), 255);
  EXPECT_EQ(bought.traits[0].second.open(), "United Kingdom");
  const auto cancelled = std::get<RawEvent>(parser->parse("C5,85123A,x,-6,2010-12-02 08:26:00,2.55,17850,France"));
  EXPECT_EQ(cancelled.type, EventType::kRefund);
  EXPECT_EQ(cancelled.items[0].quantity, 6);
  EXPECT_EQ(cancelled.order_id.open(), "5");
  const auto why = [&](const char* row) { return std::get<Reject>(parser->parse(row)).reason; };
  EXPECT_EQ(why("5,85123A,x,6,2010-12-01 08:26:00,2.55,,UK"), "missing");
  EXPECT_EQ(why("5,85123A,x,6,2010-12-01 08:26:00,-2.55,1,UK"), "impossible_value");
  EXPECT_EQ(why("5,85123A,x,6"), "wrong_column_count");
  EXPECT_EQ(why("5,85123A,\"x,6,2010-12-01 08:26:00,2.55,1,UK"), "open_quote");
  mapping.item = "StockCod";
  EXPECT_NE(CsvParser::make(mapping, header, options()).error().message.find("did you mean 'StockCode'"), std::string::npos);
}

TEST(Csv, ADiscountColumnHoldsWhatTheWholeLineWasReducedBy) {
  // Exports write discounts with a minus sign; read as another number they would raise the price.
  CsvMapping mapping;
  mapping.user_id = "who";
  mapping.time = "when";
  mapping.item = "what";
  mapping.quantity = "pieces";
  mapping.discount = "off";
  const auto parser = CsvParser::make(mapping, "who,when,what,pieces,off", options());
  ASSERT_TRUE(parser.ok()) << parser.error().message;
  const auto discount = [&](const char* row) { return std::get<RawEvent>(parser->parse(row)).items[0].discount_minor; };
  EXPECT_EQ(discount("u,2026-05-01,tea,3,-1.50"), 150);
  EXPECT_EQ(discount("u,2026-05-01,tea,3,0"), 0);
  EXPECT_EQ(discount("u,2026-05-01,tea,3,"), std::nullopt);
  EXPECT_EQ(std::get<Reject>(parser->parse("u,2026-05-01,tea,3,much")).field, "discount");
}

TEST(Parsers, NeverFailOnDamagedBytes) {
  const std::string good = R"({"type":"track","event":"Order Completed","userId":"u1","timestamp":"2026-05-01T10:00:00Z","properties":{"products":[{"product_id":"a","price":12.5}]}})";
  JsonLineParser parser(options());
  base::Rng rng(5);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good.substr(0, rng.below(good.size() + 1));
    for (int flips = 0; flips < 3 && !bytes.empty(); ++flips) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next_u32());
    }
    EXPECT_FALSE(parser.parse(bytes).empty());
  }
}

}  // namespace
}  // namespace beckon::events
