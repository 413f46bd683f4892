// The books of a shop: what was closed stays, what comes in late is a correction, and an erased customer takes nothing out of them.
#include <gtest/gtest.h>

#include "beckon/events/records.h"
#include "beckon/store/store.h"
#include "files.h"

namespace beckon::engine {
namespace {

base::Instant time_of(const std::string& text) { return base::parse_time(text, base::Zone::utc()).value(); }

std::string order(const std::string& who, const std::string& day, const std::string& id, const std::string& rest) {
  return R"({"type":"track","event":"Order Completed","userId":")" + who + R"(","messageId":")" + id + R"(","timestamp":")" + day +
         R"(T10:00:00Z","properties":{"order_id":")" + id + R"(","currency":"EUR",)" + rest + "}}\n";
}

// A shop of two customers with a coupon each, sent on the 2nd of January; its clock is its own present.
struct BookedShop {
  TestShop shop;
  std::unique_ptr<Context> context;

  BookedShop() {
    OpenOptions options = shop.options();
    options.as_of = time_of("2026-01-20T12:00:00Z");
    options.simulated_clock = true;
    context = open_shop(options).value();
    for (const std::string who : {"ann", "bob"}) {
      take_in("hello-" + who, order(who, "2026-01-01", "first-" + who, R"("product_id":"mug","price":2)"));
      send_coupon(context->ring->pseudonym(who));
    }
  }

  void take_in(const std::string& name, const std::string& lines) const { ingest_ok(*context, {shop.folder.file(name + ".jsonl", lines)}); }

  void send_coupon(const privacy::Pseudonym& customer) const {
    events::Decision decision;
    decision.customer = customer;
    decision.campaign = "spring";
    decision.period = "1";
    decision.at = time_of("2026-01-02T08:00:00Z");
    decision.chosen = true;
    decision.item = "tea";
    decision.offer = "ten";
    decision.currency = "EUR";
    decision.face_minor = 100;
    decision.expected_cost_micro = 30'000'000;
    decision.send_cost_micro = 200'000;
    events::Delivery delivery;
    delivery.customer = customer;
    delivery.id = "d-" + customer.text();
    delivery.campaign = "spring";
    delivery.period = "1";
    delivery.state = events::DeliveryState::kAccepted;
    delivery.attempts = 1;
    delivery.item = "tea";
    delivery.offer = "ten";
    delivery.code = "TEN";
    delivery.currency = "EUR";
    delivery.claimed_at = time_of("2026-01-02T09:00:00Z");
    delivery.offer_until = time_of("2026-01-25T09:00:00Z");
    store::WriteBatch changes;
    store::Records::put(decision, changes);
    store::Records::put(delivery, changes);
    ASSERT_TRUE(context->rows->write(changes).ok());
  }

  base::Json books(const std::string& month, bool close = false) const {
    FinanceRequest request;
    request.month = month;
    request.close = close;
    request.csv_path = shop.folder.path + "/books.csv";
    const auto answer = finance(*context, request);
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    return answer.ok() ? *answer : base::Json();
  }
  std::string refusal(const std::string& month, bool close) const {
    FinanceRequest request;
    request.month = month;
    request.close = close;
    const auto answer = finance(*context, request);
    EXPECT_FALSE(answer.ok());
    return answer.ok() ? "" : answer.error().message;
  }
  void clock(const std::string& day) const { context->manual->set(time_of(day)); }
  // Page and table as they were written.
  std::string files() const { return bytes_of(shop.folder.path + "/books.csv") + bytes_of(shop.folder.path + "/reports/finance-2026-01.html"); }
};

// A number of a campaign's row ("" : the shop's), 0 where there is none.
std::int64_t number(const base::Json& rows, const std::string& campaign, const char* column) {
  std::int64_t sum = 0;
  for (const auto& row : rows) {
    sum += base::string_or(row, "campaign") == campaign ? base::int_or(row, column) : 0;
  }
  return sum;
}

TEST(Finance, AClosedMonthIsShownAsItWasSealedAndLateOrdersCorrectTheNext) {
  // An accountant would find other figures in a month that he has reported.
  const BookedShop one;
  one.take_in("use", order("ann", "2026-01-10", "a1", R"("coupon":"TEN","products":[{"product_id":"tea","price":9,"discount":1.00}])"));
  EXPECT_EQ(number(one.books("2026-01")["finance"]["open"], "spring", "coupons"), 1) << "bob's still runs";
  const base::Json asked = answer_request(*one.context, {{"command", "finance"}, {"month", "2026-01"}});
  EXPECT_EQ(asked["finance"], one.books("2026-01")["finance"]) << "also through the process that holds the shop";
  EXPECT_NE(one.refusal("2026-01", true).find("2026-02-02T"), std::string::npos) << "says from when on";
  EXPECT_NE(one.refusal("2026-03", false).find("not begun"), std::string::npos);
  one.clock("2026-02-03T12:00:00Z");
  const base::Json closed = one.books("2026-01", true);
  EXPECT_EQ(closed["finance"]["state"], "closed");
  EXPECT_EQ(number(closed["finance"]["rows"], "spring", "redeemed_minor"), 100);
  EXPECT_EQ(number(closed["finance"]["rows"], "spring", "expired"), 1);
  EXPECT_EQ(number(closed["finance"]["rows"], "spring", "send_cost_micro"), 400'000);
  EXPECT_EQ(number(closed["finance"]["rows"], "spring", "attributed_minor"), 900) << "without a plan file for seven days, by its coupon as long as it is valid";
  const std::string files = one.files();
  one.take_in("late", order("bob", "2026-01-12", "b1", R"("coupon":"TEN","discount":1.23,"products":[{"product_id":"tea","price":9}])"));
  one.clock("2026-02-20T12:00:00Z");
  EXPECT_EQ(one.books("2026-01"), closed);
  EXPECT_EQ(one.books("2026-01", true), closed) << "closing twice changes nothing";
  EXPECT_EQ(one.files(), files);
  const base::Json next = one.books("2026-02")["finance"];
  EXPECT_EQ(number(next["corrections"], "spring", "redeemed_minor"), 123);
  EXPECT_EQ(number(next["corrections"], "spring", "expired"), -1);
  EXPECT_EQ(number(next["corrections"], "", "order_discount_minor"), 123);
  EXPECT_EQ(next["corrections"][0]["of"], "2026-01");
  EXPECT_EQ(number(next["rows"], "spring", "redeemed_minor"), 0);
}

TEST(Finance, AnErasedCustomerTakesNothingOutOfTheBooks) {
  // The right to be forgotten would be booked as discounts given back.
  const BookedShop one;
  one.take_in("use", order("ann", "2026-01-10", "a1", R"("coupon":"TEN","products":[{"product_id":"tea","price":9,"discount":1.00}])"));
  const base::Json before = one.books("2026-01")["finance"];
  ASSERT_TRUE(erase(*one.context, "ann").ok());
  EXPECT_EQ(one.books("2026-01")["finance"]["rows"], before["rows"]);
  ASSERT_TRUE(erase(*one.context, "ann").ok());
  EXPECT_EQ(one.books("2026-01")["finance"]["rows"], before["rows"]) << "erased twice, kept once";
  ASSERT_TRUE(erase(*one.context, "bob").ok());
  const base::Json after = one.books("2026-01")["finance"];
  EXPECT_EQ(number(after["rows"], "spring", "issued"), 2);
  EXPECT_EQ(number(after["rows"], "spring", "expired"), 1) << "nobody can use it any more";
  EXPECT_TRUE(after["open"].empty());
  EXPECT_EQ(number(after["rows"], "", "sales_minor"), number(before["rows"], "", "sales_minor"));
}

TEST(Finance, ClosesTheMonthsBeforeAndRefusesOnesThatWereChanged) {
  // A gap between closed months would lose what happened in it; a page edited in the store would be believed.
  const BookedShop one;
  one.clock("2026-03-10T12:00:00Z");
  EXPECT_EQ(one.books("2026-02", true)["finance"]["month"], "2026-02");
  EXPECT_EQ(one.books("2026-01")["finance"]["state"], "closed");
  EXPECT_NE(one.refusal("2025-12", false).find("begin with 2026-01"), std::string::npos);
  const auto text = store::Records(*one.context->rows).note("finance|closed|2026-01").value().value();
  std::string changed = text;
  changed.replace(changed.find("\"orders\":2"), 10, "\"orders\":3");
  store::WriteBatch changes;
  store::Records::put_note("finance|closed|2026-01", changed, changes);
  ASSERT_TRUE(one.context->rows->write(changes).ok());
  EXPECT_NE(one.refusal("2026-01", false).find("changed or damaged"), std::string::npos);
}

TEST(Finance, AReplayClosesNothingAndItsMessagesPromisedNothing) {
  // Playing with the past would seal it.
  const BookedShop one;
  one.context->simulated = false;
  one.clock("2026-03-10T12:00:00Z");
  EXPECT_NE(one.refusal("2026-01", true).find("--as-of"), std::string::npos);
  const auto ann = one.context->ring->pseudonym("ann");
  const store::Records records(*one.context->rows);
  events::Delivery delivery = records.deliveries(ann).value().at(0);
  delivery.replay = true;
  store::WriteBatch changes;
  store::Records::put(delivery, changes);
  ASSERT_TRUE(one.context->rows->write(changes).ok());
  EXPECT_EQ(number(one.books("2026-01")["finance"]["rows"], "spring", "issued"), 1) << "bob's alone";
}

TEST(Finance, APageNeverCallsAttributedSalesProfit) {
  // Sales that would have come anyway would be taken for what the campaign earned.
  const BookedShop one;
  one.take_in("use", order("ann", "2026-01-10", "a1", R"("coupon":"TEN","products":[{"product_id":"tea","price":9,"discount":1.00}])"));
  const base::Json answer = one.books("2026-01");
  const std::string page = bytes_of(answer["html"].get<std::string>()) + base::string_or(answer, "text");
  EXPECT_NE(page.find("attributed sales"), std::string::npos);
  for (const char* word : {"profit", "Profit", "incremental"}) {
    EXPECT_EQ(page.find(word), std::string::npos) << word << ": nothing was measured here";
  }
}

}  // namespace
}  // namespace beckon::engine
