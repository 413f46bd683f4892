#pragma once
// From decisions to messages that arrive: ids that cannot exist twice, a ledger, checks at the claim, transports.
//
//   deliver.h    ids, intents, the Sender (claim → hand over → record)
//   transport.h  how a message leaves: file, webhook
//
// Promise: nothing accepted is lost; a message may be handed over again only with the same id and the same bytes.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/catalog/catalog.h"
#include "beckon/deliver/transport.h"
#include "beckon/privacy/privacy.h"
#include "beckon/store/records.h"
#include "beckon/store/shelf.h"

namespace beckon::deliver {

/// UUIDv8 (RFC 9562) over SHA-256 of tenant, campaign, period, customer and slot: never of a channel, a run number or the clock.
std::string delivery_id(const std::string& tenant, const events::Decision& decision);

/// The zones in which quiet hours must be over: the customer's own; else every zone of his country; else his market's; else none.
std::vector<base::Zone> zones_of(const store::Profile& profile, const catalog::Market& market);

/// When quiet hours are over in all zones: `at` itself, or the next moment. nullopt when the zones never agree within two days.
std::optional<base::Instant> next_allowed(base::Instant at, std::span<const base::Zone> zones, const catalog::Market& market);

/// `from` itself when it lies in that local hour, else the hour's next beginning.
base::Instant next_hour(base::Instant from, const base::Zone& zone, int hour);

/// Names of the counters that a delivery of this campaign reserves from.
std::string budget_counter(const catalog::Campaign& campaign, const std::string& budget);
std::string quantity_counter(const catalog::Campaign& campaign, const std::string& offer);

struct IntentCounts {
  std::int64_t added = 0;
  std::int64_t replaced = 0;  ///< still waiting, now as the newer plan says
  std::int64_t kept = 0;      ///< already on its way or done: never sent twice
};

struct SendCounts {
  std::int64_t accepted = 0;
  std::int64_t retried = 0;
  std::int64_t waiting = 0;   ///< due later
  std::map<std::string, std::int64_t> not_sent;  ///< reason → count
};

/// What the Sender needs from the other rooms.
struct SenderParts {
  store::KeyValue* rows = nullptr;
  store::DataKeys* keys = nullptr;
  const catalog::Shop* shop = nullptr;
  const catalog::Campaign* campaign = nullptr;
  std::string tenant;
  bool replay = false;
  /// Text of the message; called once, inside the claim. `to` is the recipient's address.
  std::function<base::Result<std::string>(const privacy::Permit<privacy::Purpose::kMarketing>&, const events::Delivery&,
                                          const catalog::Item&, const std::pair<const store::Profile*, std::string>& profile_and_to)>
      render;
  std::function<Transport*(const std::string& channel)> transport;
};

/// One campaign's messages. Not thread-safe: one sender per shop.
class Sender {
 public:
  explicit Sender(SenderParts parts) : parts_(std::move(parts)) {}

  /// Insert-if-absent, in synced batches: planning or sending again adds nothing.
  base::Result<IntentCounts> add_intents(std::span<const events::Decision> decisions, base::Instant now);
  /// Claims what is due, hands it over, records the answer; until nothing more is due at `now`. `keep_going` is asked between batches.
  base::Result<SendCounts> send_due(base::Instant now, const std::function<bool(const SendCounts&)>& keep_going);
  /// The next moment at which a waiting message is due.
  base::Result<std::optional<base::Instant>> next_due(base::Instant after) const;
  /// Redemptions and expiries leave escrow. `redeemed` answers when the coupon of a delivery was used.
  base::Result<std::int64_t> settle(base::Instant now, const std::function<bool(const events::Delivery&)>& redeemed);
  /// Waiting messages are cancelled; what was handed over stays.
  base::Result<std::int64_t> cancel(base::Instant now);

 private:
  struct Claim;
  base::Status load();
  base::Result<std::vector<events::Delivery>> mine() const;
  events::Delivery intent_of(const events::Decision& decision, base::Instant now) const;
  base::Status check_and_claim(events::Delivery& delivery, base::Instant now);
  base::Result<std::string> check(const events::Delivery& delivery, base::Instant now, Claim& claim);
  std::string check_shelf(const events::Delivery& delivery, Claim& claim) const;
  base::Result<std::string> check_caps(const events::Delivery& delivery, base::Instant now, Claim& claim) const;
  std::string reserve(events::Delivery& delivery);
  base::Status recover(base::Instant now);
  base::Status hand_over(std::vector<events::Delivery>& batch, base::Instant now, SendCounts& counts);
  base::Result<std::string> open_payload(const events::Delivery& delivery) const;

  SenderParts parts_;
  bool loaded_ = false;
  std::map<std::string, store::Counter> counters_;
  std::map<std::pair<std::string, std::string>, events::Decision> decisions_;  // (customer, period|slot) → decision
  std::map<std::string, catalog::Item> items_;
};

}  // namespace beckon::deliver
