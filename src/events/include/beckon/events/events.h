#pragma once
// The record every later room reads: one thing a customer did, under a pseudonym. Value types; functions are thread-safe.
//
//   events.h  Event and its bytes on disk (docs/formats/event.md)
//   parse.h   lines of the outside world → RawEvent, or the reason why not
//   clean.h   pure functions over one customer's window: refunds paired, bots recognised

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "beckon/base/clock.h"
#include "beckon/base/money.h"
#include "beckon/base/result.h"
#include "beckon/privacy/privacy.h"

namespace beckon::events {

/// Stored as one byte; numbers are never reused.
enum class EventType : std::uint8_t {
  kView = 1,
  kCart = 2,
  kUncart = 3,
  kPurchase = 4,
  kRefund = 5,
  kSearch = 6,
  kWishlist = 7,
  kVisit = 8,
  kImpression = 9,
  kDelivered = 10,
  kOpen = 11,
  kClick = 12,
  kRedeem = 13,
  kBounce = 14,
  kComplaint = 15,
  kUnsubscribe = 16,
  kConsent = 17,
  kIdentify = 18,
  kAlias = 19,
  kOther = 20,  ///< a name we do not know: kept and counted
};
constexpr std::uint8_t kEventTypeMax = 20;
std::string_view to_text(EventType type);

/// 128-bit id, unique within a customer: a repeated line has the same one.
using EventId = std::array<std::uint8_t, 16>;

struct Event {
  privacy::Pseudonym customer;
  EventId id{};
  base::Instant at;
  EventType type = EventType::kOther;
  std::string item;             ///< the shop's item id; empty when none is meant
  std::int64_t quantity = 1;    ///< pieces, > 0 (a refund too)
  base::Money unit_price;       ///< per piece; currency empty when unknown
  std::optional<std::int64_t> discount_minor = {};  ///< of the whole line, in the price's currency, ≥ 0; absent: the line does not say
  std::string order;            ///< keyed hash of the order id; empty when none
  std::string channel;          ///< "web", "app", "store", "email", …
  std::string market;           ///< market code; empty: the shop's only one
  std::string campaign;         ///< campaign context of an outcome
  std::string delivery;         ///< delivery id of an outcome
  std::string coupon;
  bool clock_corrected = false; ///< Segment's skew rule moved `at`
  std::uint64_t place = 0;      ///< running number in the file it came from: keeps the order of what happened at the same time
  friend bool operator==(const Event&, const Event&) = default;
};

/// Value bytes for the timeline (the key holds customer and id). Schema version in front, CRC-32C around.
std::string encode(const Event& event);
/// Reads every version ever written; data_loss for anything else. `customer` and `id` come from the key.
base::Result<Event> decode(std::string_view bytes, const privacy::Pseudonym& customer, const EventId& id);

}  // namespace beckon::events
