#pragma once
// Private to deliver: what a claim gathers, and the arithmetic of escrow.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "beckon/deliver/deliver.h"

namespace beckon::deliver {

struct Sender::Claim {
  std::optional<privacy::Permit<privacy::Purpose::kMarketing>> permit;
  store::Profile profile;
  std::vector<base::Zone> zones;
  const catalog::Item* item = nullptr;
  std::optional<base::Instant> hold_until;
};

/// Counter → amount that this decision reserves: minor units of each budget that pays for the offer, one piece of its quantity.
std::vector<std::pair<std::string, std::int64_t>> reserved_by(const catalog::Campaign& campaign, const events::Decision& decision);
/// The most that any budget holds for it, for display.
std::int64_t escrow_of(const catalog::Campaign& campaign, const events::Decision& decision);
/// Gives back what reserve() took.
void release(const catalog::Campaign& campaign, const events::Decision& decision, std::map<std::string, store::Counter>& counters);

std::string payload_context(const std::string& delivery_id);
/// Associated data of a sealed profile field; the writer is engine's ingest.
std::string profile_context(const privacy::Pseudonym& customer, const std::string& field);

}  // namespace beckon::deliver
