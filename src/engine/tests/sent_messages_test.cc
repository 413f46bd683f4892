// Click chances would be learned from the wrong item, offer or channel, or a lost plan file would stop a training, if one of these broke.
#include "sent_messages.h"

#include "beckon/store/records.h"
#include "files.h"
#include "pretrain.h"

namespace beckon::engine {
namespace {

// Two orders of the same two goods: a good that was met once has no number.
std::string orders() {
  std::string out;
  for (const char* day : {"05", "06"}) {
    out += std::string(R"({"type":"track","messageId":"m)") + day + R"(","userId":"ann","event":"Order Completed","timestamp":"2026-01-)" + day +
           R"(T08:00:00Z","properties":{"order_id":"o)" + day +
           R"(","currency":"EUR","products":[{"product_id":"tea","price":10,"quantity":1},{"product_id":"mug","price":5,"quantity":1}]}})" + "\n";
  }
  return out;
}

events::Event message(const privacy::Pseudonym& customer, events::EventType type, const std::string& delivery, std::uint8_t number) {
  events::Event event;
  event.customer = customer;
  event.id[0] = number;
  event.at = {base::parse_time("2026-01-10T18:30:00Z", base::Zone::utc()).value().ms + number * base::kMinuteMs};
  event.type = type;
  event.item = "mug";
  event.channel = "push";
  event.delivery = delivery;
  return event;
}

struct MessagedShop {
  TestShop shop;
  std::unique_ptr<Context> context;
  MessagedShop() {
    context = shop.open();
    ingest_ok(*context, {shop.folder.file("one.jsonl", orders())});
    const auto ann = data().histories.at(0).customer;
    store::WriteBatch changes;
    events::Delivery delivery;
    delivery.customer = ann;
    delivery.id = "d1";
    delivery.campaign = "spring";
    delivery.item = "tea";
    delivery.offer = "ten";
    delivery.channel = "email";
    store::Records::put(delivery, changes);
    store::Records::put_note("plan|spring|1", R"({"path":"plans/gone.jsonl"})", changes);
    EXPECT_TRUE(context->rows->write(changes).ok());
    const std::vector<events::Event> came{message(ann, events::EventType::kDelivered, "d1", 1), message(ann, events::EventType::kClick, "d1", 2),
                                          message(ann, events::EventType::kDelivered, "elsewhere", 3)};
    EXPECT_TRUE(store::Timelines(*context->rows).append(came).ok());
  }
  features::Dataset data() const { return material_of(*context, context->clock->now(), nullptr, NewWords::kNumbered).value().data; }
};

TEST(SentMessages, TheLedgerKnowsBetterThanTheEventAndALostPlanStopsNothing) {
  const MessagedShop one;
  const auto material = material_of(*one.context, one.context->clock->now(), nullptr, NewWords::kNumbered);
  ASSERT_TRUE(material.ok()) << material.error().message;
  ASSERT_EQ(material->messages.size(), 2U);
  const auto& ours = material->messages[0];
  EXPECT_EQ(ours.clicked_ms, ours.at.ms + base::kMinuteMs);
  EXPECT_EQ(material->data.vocabulary.item(ours.token), "tea");
  EXPECT_EQ(ours.approach.channel, features::MessageChannel::kEmail);
  EXPECT_EQ(ours.approach.offer, catalog::OfferKind::kNone) << "its plan is gone";
  EXPECT_TRUE(ours.approach.message);
  const int local = one.context->config.shop.default_market().time_zone().to_local(ours.at).hour;
  EXPECT_EQ(ours.approach.hour, local);
  const auto& theirs = material->messages[1];
  EXPECT_EQ(theirs.clicked_ms, 0);
  EXPECT_EQ(material->data.vocabulary.item(theirs.token), "mug");
  EXPECT_EQ(theirs.approach.channel, features::MessageChannel::kPush);
}

}  // namespace
}  // namespace beckon::engine
