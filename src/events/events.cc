#include "beckon/events/events.h"

#include "beckon/base/codec.h"

namespace beckon::events {
namespace {
constexpr std::uint8_t kSchemaVersion = 3;  // 1: without place; 2: without discount
constexpr std::array<std::string_view, kEventTypeMax + 1> kNames{
    "",       "view",   "cart",      "uncart",    "purchase",    "refund",  "search",   "wishlist", "visit", "impression", "delivered",
    "open",   "click",  "redeem",    "bounce",    "complaint",   "unsubscribe", "consent", "identify", "alias", "other"};
}  // namespace

std::string_view to_text(EventType type) { return kNames.at(static_cast<std::size_t>(type)); }

std::string encode(const Event& event) {
  base::Writer out;
  out.u8(kSchemaVersion);
  out.zigzag(event.at.ms);
  out.u8(static_cast<std::uint8_t>(event.type));
  out.u8(event.clock_corrected ? 1 : 0);
  out.text(event.item);
  out.zigzag(event.quantity);
  out.zigzag(event.unit_price.minor());
  for (const std::string_view text :
       {event.unit_price.currency().code(), std::string_view(event.order), std::string_view(event.channel),
        std::string_view(event.market), std::string_view(event.campaign), std::string_view(event.delivery),
        std::string_view(event.coupon)}) {
    out.text(text);
  }
  out.varint(event.place);
  out.u8(event.discount_minor.has_value() ? 1 : 0);
  out.zigzag(event.discount_minor.value_or(0));
  return base::seal(out.view());
}

base::Result<Event> decode(std::string_view bytes, const privacy::Pseudonym& customer, const EventId& id) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  base::Reader in(payload);
  const std::uint8_t version = in.u8();
  if (version == 0 || version > kSchemaVersion) {
    return base::data_loss("an event was written by a newer beckon: update this one");
  }
  Event event;
  event.customer = customer;
  event.id = id;
  event.at.ms = in.zigzag();
  const std::uint8_t type = in.u8();
  event.clock_corrected = in.u8() != 0;
  event.item = in.text();
  event.quantity = in.zigzag();
  const std::int64_t minor = in.zigzag();
  const std::string_view currency = in.text();
  event.order = in.text();
  event.channel = in.text();
  event.market = in.text();
  event.campaign = in.text();
  event.delivery = in.text();
  event.coupon = in.text();
  event.place = version >= 2 ? in.varint() : 0;
  if (version >= 3) {
    const bool stated = in.u8() != 0;
    const std::int64_t discount_minor = in.zigzag();
    event.discount_minor = stated ? std::optional(discount_minor) : std::nullopt;
  }
  if (in.failed() || !in.at_end() || type == 0 || type > kEventTypeMax) {
    return base::data_loss("an event record is damaged: restore it from a backup");
  }
  event.type = static_cast<EventType>(type);
  if (currency.empty()) {
    event.unit_price = base::Money(minor, base::Currency());
  } else {
    BECKON_TRY(const base::Currency known, base::Currency::parse(currency));
    event.unit_price = base::Money(minor, known);
  }
  return event;
}

}  // namespace beckon::events
