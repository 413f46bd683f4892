// The shop's own formats: its catalogue, and its events in the Segment spec.
#include "beckon/base/codec.h"
#include "beckon/base/json.h"
#include "world.h"

namespace beckon::market {
namespace {

using base::Json;

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) {
    return text;
  }
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

std::string message_id(const std::string& key) {
  base::Writer bytes;
  bytes.be64(base::stable_hash(key, 1));
  bytes.be64(base::stable_hash(key, 2));
  return base::to_hex(bytes.view());
}

const char* segment_name(const Event& event) {
  const bool mail = event.channel == "email";
  switch (event.kind) {
    case EventKind::kView: return "Product Viewed";
    case EventKind::kCart: return "Product Added";
    case EventKind::kPurchase: return "Order Completed";
    case EventKind::kDelivered: return mail ? "Email Delivered" : "Push Notification Received";
    case EventKind::kOpened: return mail ? "Email Opened" : "Promotion Viewed";
    case EventKind::kClicked: return mail ? "Email Link Clicked" : "Push Notification Tapped";
    case EventKind::kUnsubscribed: return "Unsubscribed";
  }
  return "";
}

// Amounts as exact decimals: JSON numbers would pass through a double.
std::string amount(const World& world, std::int64_t minor) { return base::Money(minor, world.currency).amount_string(); }

Json product(const World& world, const Event& event) {
  return {{"product_id", world.items[static_cast<std::size_t>(event.item)].id},
          {"quantity", event.quantity},
          {"price", amount(world, event.unit_price_minor)}};
}

Json properties_of(const World& world, const Event& event) {
  Json out = Json::object();
  switch (event.kind) {
    case EventKind::kView:
    case EventKind::kCart:
      out = product(world, event);
      out["currency"] = std::string(world.currency.code());
      break;
    case EventKind::kPurchase:
      out["order_id"] = event.order;
      out["currency"] = std::string(world.currency.code());
      out["total"] = amount(world, event.quantity * event.unit_price_minor);
      out["products"] = Json::array({product(world, event)});
      if (!event.coupon.empty()) {  // of a piece, as GA4 has it
        out["products"][0]["discount"] = amount(world, world.items[static_cast<std::size_t>(event.item)].price_minor - event.unit_price_minor);
      }
      break;
    case EventKind::kDelivered:
    case EventKind::kOpened:
    case EventKind::kClicked:
      out["product_id"] = world.items[static_cast<std::size_t>(event.item)].id;
      break;
    case EventKind::kUnsubscribed:
      out["channel"] = event.channel;
      break;
  }
  if (!event.coupon.empty()) {
    out["coupon"] = event.coupon;
  }
  if (!event.delivery.empty()) {
    out["delivery_id"] = event.delivery;
  }
  return out;
}

}  // namespace

std::string Market::catalog_csv() const {
  std::string out = "id,title_en,title_zh,category,brand,price,cost,stock,link,image_link\n";
  for (const auto& item : world_->items) {
    const std::string page = "https://shop.example.test/" + item.id;
    for (const auto& field : {item.id, item.title_en, item.title_zh, item.category, item.brand, amount(*world_, item.price_minor),
                              amount(*world_, item.cost_minor), std::to_string(item.stock), page}) {
      out += quoted(field) + ",";
    }
    out += page + ".jpg\n";
  }
  return out;
}

std::string Market::to_segment_json(const Event& event) const {
  const World& world = *world_;
  const auto who = static_cast<std::size_t>(event.customer);
  const std::string key = std::to_string(static_cast<int>(event.kind)) + "/" + std::to_string(event.customer) + "/" +
                          std::to_string(event.at.ms) + "/" + std::to_string(event.item) + "/" + event.order + "/" + event.delivery;
  Json context = {{"channel", event.channel}};
  if (!event.campaign.empty()) {
    context["campaign"] = {{"name", event.campaign}, {"id", event.campaign}};
    if (!event.delivery.empty()) {
      context["campaign"]["delivery_id"] = event.delivery;
    }
  }
  const Json line = {{"type", "track"},
                     {"event", segment_name(event)},
                     {"userId", world.people[who].id},
                     {"messageId", message_id(key)},
                     {"timestamp", base::format_time(event.at)},
                     {"context", context},
                     {"properties", properties_of(world, event)}};
  return base::to_line(line);
}

std::string Market::identify_json(std::int64_t customer) const {
  const Person& person = world_->people.at(static_cast<std::size_t>(customer));
  const Json line = {{"type", "identify"},
                     {"userId", person.id},
                     {"messageId", message_id("identify/" + person.id)},
                     {"timestamp", base::format_time(world_->options.start)},
                     {"traits", {{"email", person.email}, {"phone", person.phone}, {"language", person.language},
                                 {"timezone", person.zone}, {"country", person.country}}}};
  return base::to_line(line);
}

std::string Market::consent_json(std::int64_t customer) const {
  const Person& person = world_->people.at(static_cast<std::size_t>(customer));
  if (!person.consented) {
    return {};
  }
  const Json line = {{"type", "track"},
                     {"event", "Consent Granted"},
                     {"userId", person.id},
                     {"messageId", message_id("consent/" + person.id)},
                     {"timestamp", base::format_time(world_->options.start)},
                     {"properties", {{"purposes", {"marketing", "personalisation", "measurement"}}, {"channels", person.channels}}}};
  return base::to_line(line);
}

}  // namespace beckon::market
