#pragma once
// What the engine writes down about its own acts: one Decision per customer and campaign period, one Delivery per message.
// Both carry from the start what cannot be added later: market, currency, channel, group, propensity, key and schema version.

#include <cstdint>
#include <string>
#include <string_view>

#include "beckon/base/clock.h"
#include "beckon/base/json.h"
#include "beckon/base/result.h"
#include "beckon/privacy/privacy.h"

namespace beckon::events {

/// Drawn by a salted stable hash before anything is optimised. Stored as one byte; numbers are never reused.
enum class Group : std::uint8_t {
  kHoldout = 1,        ///< of one campaign or trigger: planned for (ghost picks), never sent to
  kRandom = 2,         ///< random control: any candidate with the same probability
  kTreated = 3,
  kGlobalHoldout = 4,  ///< of the whole shop: no commercial contact at all
  kUsual = 5,          ///< business as usual: what the shop would have done without beckon
};
constexpr std::uint8_t kGroupMax = 5;
std::string_view to_text(Group group);
/// Nothing is ever sent to these.
constexpr bool is_held_out(Group group) { return group == Group::kHoldout || group == Group::kGlobalHoldout; }

/// Stored as one byte. "planned" waits for its claim, "claimed" may have left, "accepted" was taken by the transport.
enum class DeliveryState : std::uint8_t {
  kPlanned = 1,
  kClaimed = 2,
  kAccepted = 3,
  kUnknown = 4,   ///< the connection broke after the message was written: retried with the same id
  kFailed = 5,    ///< refused for good by the receiver
  kDead = 6,      ///< too many attempts, or past its expiry
  kHeld = 7,      ///< not sent yet: quiet hours, paused, zone not known
  kDropped = 8,   ///< not sent, with reason: consent, cap, price, stock, validity, budget
  kCancelled = 9,
};
constexpr std::uint8_t kDeliveryStateMax = 9;
std::string_view to_text(DeliveryState state);

/// One customer in one campaign period: what was chosen, or why nothing was. Also a held-out customer has one (a ghost pick).
struct Decision {
  privacy::Pseudonym customer;
  std::string campaign;
  std::string period;
  std::string plan;                  ///< id of the plan run
  base::Instant at;
  Group group = Group::kTreated;
  std::string strategy;
  std::string model;                 ///< version of the model that scored; "recency" when there was none
  std::string grade;                 ///< "assumed", "adjusted" or "randomised": where the effect comes from
  std::string market;
  std::string currency;
  std::int64_t slot = 1;             ///< the campaign's n-th message to this customer
  bool chosen = false;
  std::string reason;                ///< when not chosen: "no_consent", "budget", "no_positive_value", …
  std::string item;
  std::string offer;
  std::string channel;
  std::int64_t hour = 0;             ///< local hour of the message; -1: any
  std::int64_t price_minor = 0;      ///< item price the decision was made on
  std::int64_t face_minor = 0;       ///< worst case of the offer
  std::int64_t send_cost_micro = 0;  ///< millionths of a minor unit
  std::int64_t expected_cost_micro = 0;  ///< of the offer, by the predicted redemption; without the send cost
  std::int64_t value_micro = 0;      ///< expected extra profit, millionths of a minor unit
  double click_probability = 0;
  double buy_probability = 0;        ///< of this item in the attribution window without a message
  double extra_share = 0;
  double propensity = 1;             ///< of this choice given the group; true randomisation only where `randomised`
  bool randomised = false;
  std::string runner_up;             ///< "item|offer|channel|hour" of the second best, with its value below
  std::int64_t runner_up_micro = 0;
  std::string rules;                 ///< rules that fired on the way, comma-separated
};

/// One message. Its id is derived from what it is (contract 8 of the design), so that it cannot exist twice.
struct Delivery {
  privacy::Pseudonym customer;
  std::string id;                    ///< UUIDv8
  std::string campaign;
  std::string period;
  std::string plan;
  std::int64_t slot = 1;
  DeliveryState state = DeliveryState::kPlanned;
  std::string reason;
  Group group = Group::kTreated;
  double propensity = 1;
  std::string market;
  std::string currency;
  std::string channel;
  std::string item;
  std::string offer;
  std::string code;
  std::int64_t hour = 0;
  std::int64_t price_minor = 0;
  std::int64_t escrow_minor = 0;     ///< held from the budgets from the claim on: face or expected cost + send cost, rounded up
  std::int64_t attempts = 0;
  base::Instant planned_at;
  base::Instant due;
  base::Instant expires;
  base::Instant claimed_at;
  base::Instant accepted_at;
  base::Instant offer_until;
  bool settled = false;              ///< redeemed or expired: no longer in escrow
  std::int64_t settled_minor = 0;    ///< what it cost in the end
  bool replay = false;               ///< sent under --as-of: nobody really received it
  std::string payload;               ///< rendered at the claim; the same bytes on every repeat
};

/// Bytes for the store: schema version, fields, CRC-32C around. `customer` comes from the key.
std::string encode(const Decision& decision);
base::Result<Decision> decode_decision(std::string_view bytes, const privacy::Pseudonym& customer);
std::string encode(const Delivery& delivery);
base::Result<Delivery> decode_delivery(std::string_view bytes, const privacy::Pseudonym& customer);

/// Every field under its name; the pseudonym as text.
base::Json to_json(const Decision& decision);
base::Result<Decision> decision_from_json(const base::Json& json);
base::Json to_json(const Delivery& delivery);

}  // namespace beckon::events
