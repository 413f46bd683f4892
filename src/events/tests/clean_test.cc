// Returned goods would count as sales, robots as customers, and old records become unreadable if one of these broke.
#include "beckon/events/clean.h"

#include <gtest/gtest.h>

#include "beckon/base/codec.h"

namespace beckon::events {
namespace {

Event make(EventType type, std::int64_t at, const char* item, std::int64_t quantity = 1) {
  Event event;
  event.type = type;
  event.at = {at};
  event.item = item;
  event.quantity = quantity;
  return event;
}

TEST(Refunds, TakeBackTheLatestMatchingPieces) {
  std::vector<Event> window = {make(EventType::kPurchase, 1, "a", 5), make(EventType::kPurchase, 2, "b", 1),
                               make(EventType::kPurchase, 3, "a", 2), make(EventType::kRefund, 4, "a", 3),
                               make(EventType::kRefund, 5, "c", 1)};
  const auto pairs = pair_refunds(window);
  EXPECT_EQ(pairs.kept_quantity[0], 4);
  EXPECT_EQ(pairs.kept_quantity[1], 1);
  EXPECT_EQ(pairs.kept_quantity[2], 0);
  EXPECT_EQ(pairs.paired, 1);
  EXPECT_EQ(pairs.unpaired, 1);
}

TEST(Refunds, OrderNumberDecidesBeforeTimeDoes) {
  std::vector<Event> window = {make(EventType::kPurchase, 1, "a"), make(EventType::kPurchase, 2, "a"),
                               make(EventType::kRefund, 3, "")};
  window[0].order = window[2].order = "o1";
  window[1].order = "o2";
  const auto pairs = pair_refunds(window);
  EXPECT_EQ(pairs.kept_quantity[0], 0);
  EXPECT_EQ(pairs.kept_quantity[1], 1);
  EXPECT_EQ(pairs.paired, 1);
}

TEST(Refunds, SayWhichPurchaseTheyTookBack) {
  // A refund would be booked on another campaign than the order it came from.
  std::vector<Event> window{make(EventType::kPurchase, 1, "a", 2), make(EventType::kPurchase, 2, "a", 2), make(EventType::kRefund, 3, "a", 3)};
  const auto taken = pair_refunds(window).taken;
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].refund, 2U);
  EXPECT_EQ(taken[0].purchase, 1U);
  EXPECT_EQ(taken[0].pieces, 2);
  EXPECT_EQ(taken[1].purchase, 0U);
  EXPECT_EQ(taken[1].pieces, 1);
}

TEST(Bots, FastAndRegularViewersAreFoundBusyBuyersAreNot) {
  std::vector<Event> fast;
  std::vector<Event> timer;
  std::vector<Event> buyer;
  std::vector<Event> person;
  std::vector<Event> day_stamps;
  for (int i = 0; i < 200; ++i) {
    fast.push_back(make(EventType::kView, i * 100 + (i * i * 31) % 50, "a"));
    timer.push_back(make(EventType::kView, i * 30'000, "a"));
    buyer.push_back(make(EventType::kPurchase, i * 100, "a"));
    person.push_back(make(EventType::kView, i * 20'000 + (i * i * 7919) % 9000, "a"));
    day_stamps.push_back(make(EventType::kView, 0, "a"));
  }
  EXPECT_EQ(bot_reason(fast), "views_per_minute");
  EXPECT_EQ(bot_reason(timer), "same_gap");
  EXPECT_EQ(bot_reason(buyer), "");
  EXPECT_EQ(bot_reason(person), "");
  EXPECT_EQ(bot_reason(day_stamps), "");
}

Event answer(EventType type, std::int64_t at_ms, const char* delivery) {
  Event event = make(type, at_ms, "");
  event.delivery = delivery;
  return event;
}

TEST(Machines, ProxiesAndScannersAreNotReaders) {
  // A mail proxy opens everything and a scanner clicks everything: counted as people, the worst list would look like the best.
  constexpr std::int64_t kSent = 1'700'000'000'123;
  const std::vector<Event> window{
      answer(EventType::kDelivered, kSent, "proxy"),          answer(EventType::kOpen, kSent + 4999, "proxy"),
      answer(EventType::kOpen, kSent + 5000, "reader"),       answer(EventType::kDelivered, kSent + 5000, "scanned"),
      answer(EventType::kClick, kSent + 9000, "scanned"),     answer(EventType::kClick, kSent + 9999, "scanned"),
      answer(EventType::kClick, kSent + 20'000, "scanned"),   answer(EventType::kOpen, kSent + 30'000, "proxy"),
      answer(EventType::kClick, kSent + 31'000, "proxy"),     answer(EventType::kClick, kSent + 31'100, "proxy"),
      answer(EventType::kClick, kSent + 40'000, "slow"),      answer(EventType::kClick, kSent + 41'000, "slow"),
      answer(EventType::kClick, kSent + 41'000, ""),          answer(EventType::kClick, kSent + 41'001, "")};
  EXPECT_EQ(machine_answers(window), (std::vector<std::uint8_t>{0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  const std::int64_t midnight = 1'700'006'400'000 - 2 * base::kHourMs;  // of a zone two hours east
  EXPECT_EQ(machine_answers(std::vector<Event>{answer(EventType::kDelivered, midnight, "d"), answer(EventType::kOpen, midnight, "d"),
                                               answer(EventType::kDelivered, midnight, "e"), answer(EventType::kClick, midnight, "e"),
                                               answer(EventType::kClick, midnight, "e")}),
            std::vector<std::uint8_t>(5, 0))
      << "files of whole days say nothing about seconds";
}

TEST(Refunds, SayWhichPiecesCameBackWhen) {
  // Without the time between purchase and refund nobody could foresee what of last week's sales will come back.
  const std::vector<Event> window{make(EventType::kPurchase, 10, "a", 2), make(EventType::kPurchase, 20, "a", 1), make(EventType::kRefund, 30, "a", 2)};
  const auto pairs = pair_refunds(window);
  ASSERT_EQ(pairs.taken.size(), 2U);
  EXPECT_EQ(pairs.taken[0].purchase, 1U);
  EXPECT_EQ(pairs.taken[0].pieces, 1);
  EXPECT_EQ(pairs.taken[1].purchase, 0U);
  EXPECT_EQ(pairs.taken[1].refund, 2U);
}

TEST(EventBytes, ComeBackAndDamageIsSeen) {
  Event event = make(EventType::kPurchase, 1'700'000'000'123, "sku-1", 3);
  event.unit_price = base::Money(1999, base::Currency::parse("EUR").value());
  event.order = "abc";
  event.channel = "store";
  event.market = "DE";
  event.campaign = "spring";
  event.coupon = "X1";
  event.clock_corrected = true;
  event.discount_minor = 0;  // stated as nothing, which is not the same as not stated
  const std::string bytes = encode(event);
  EXPECT_EQ(decode(bytes, event.customer, event.id).value(), event);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 4);
    EXPECT_FALSE(decode(broken, event.customer, event.id).ok());
    EXPECT_FALSE(decode(bytes.substr(0, i), event.customer, event.id).ok());
  }
}

TEST(EventBytes, OfOlderVersionsAreStillRead) {
  // A shop that updates would lose its whole history.
  Event event = make(EventType::kPurchase, 1'700'000'000'123, "sku-1", 3);
  event.coupon = "X1";
  for (const int version : {1, 2}) {
    event.place = version >= 2 ? 7 : 0;
    std::string payload(base::open_sealed(encode(event)).value());
    payload[0] = static_cast<char>(version);
    payload.resize(payload.size() - (version >= 2 ? 2 : 3));  // without the discount; version 1 also without the place
    const auto read = decode(base::seal(payload), event.customer, event.id);
    ASSERT_TRUE(read.ok()) << version;
    EXPECT_EQ(*read, event);
  }
}

}  // namespace
}  // namespace beckon::events
