// The claim: everything is looked at again, and what holds is written together with the claim.
#include <algorithm>

#include "beckon/deliver/deliver.h"
#include "beckon/measure/groups.h"
#include "claim.h"

namespace beckon::deliver {
namespace {

using events::Delivery;
using events::DeliveryState;

bool counts_for_caps(const Delivery& delivery) {
  return delivery.state == DeliveryState::kAccepted || delivery.state == DeliveryState::kClaimed ||
         delivery.state == DeliveryState::kUnknown;
}

// Start of the next local day: where a daily cap is free again.
base::Instant next_local_day(base::Instant now, const base::Zone& zone) {
  base::LocalTime local = zone.to_local(now.plus_ms(base::kDayMs));
  local.hour = local.minute = local.second = 0;
  return zone.to_instant(local);
}

}  // namespace

std::string Sender::check_shelf(const Delivery& delivery, Claim& claim) const {
  const auto found = items_.find(delivery.item);
  if (found == items_.end()) {
    return "item_gone";
  }
  claim.item = &found->second;
  if (claim.item->stock.value_or(1) <= 0) {
    return "out_of_stock";
  }
  // The value of the offer was computed on this price; a text with another one was never decided.
  if (claim.item->current_price().minor() != delivery.price_minor ||
      claim.item->current_price().currency().code() != std::string_view(delivery.currency)) {
    return "price_changed";
  }
  return {};
}

base::Result<std::string> Sender::check_caps(const Delivery& delivery, base::Instant now, Claim& claim) const {
  const catalog::Channel& channel = parts_.shop->channels.at(delivery.channel);
  BECKON_TRY(const auto sent, store::Records(*parts_.rows).deliveries(delivery.customer));
  const base::Zone& zone = claim.zones.front();
  std::int64_t today = 0;
  std::int64_t week = 0;
  for (const auto& other : sent) {
    if (other.id == delivery.id || other.channel != delivery.channel || !counts_for_caps(other) || other.replay != parts_.replay) {
      continue;
    }
    const std::int64_t apart = zone.to_local(now).day_number() - zone.to_local(other.claimed_at).day_number();
    today += apart == 0 ? 1 : 0;
    week += apart >= 0 && apart < 7 ? 1 : 0;
  }
  if (week >= channel.per_week_max) {
    return std::string("cap_per_week");
  }
  if (today >= channel.per_day_max) {
    claim.hold_until = next_local_day(now, zone);
    return std::string("cap_per_day");
  }
  return std::string();
}

base::Result<std::string> Sender::check(const Delivery& delivery, base::Instant now, Claim& claim) {
  if (now > delivery.expires) {
    return std::string("expired");
  }
  // Whoever planned it: the shop may have drawn its holdout after the plan, or widened it.
  const catalog::GroupConfig& groups = parts_.shop->groups;
  if (measure::in_global_holdout(delivery.customer, {.global_holdout = groups.holdout_share, .global_salt = groups.salt})) {
    return std::string("global_holdout");
  }
  const store::People people(*parts_.rows);
  BECKON_TRY(const auto consent, people.consent(delivery.customer));
  const catalog::Market& market = parts_.shop->market(delivery.market);
  auto permit = privacy::grant<privacy::Purpose::kMarketing>(delivery.customer, consent, market.rule, {delivery.channel, now});
  if (!permit.ok()) {
    return std::string("no_consent");
  }
  claim.permit.emplace(std::move(permit).value());
  BECKON_TRY(auto profile, people.profile(delivery.customer));
  if (!profile.has_value()) {
    return std::string("no_address");
  }
  claim.profile = std::move(*profile);
  claim.zones = zones_of(claim.profile, market);
  if (claim.zones.empty()) {
    claim.hold_until = now.plus_ms(base::kDayMs);
    return std::string("zone_unknown");
  }
  const auto allowed = next_allowed(now, claim.zones, market);
  if (!allowed.has_value() || *allowed > now) {
    claim.hold_until = allowed.value_or(now.plus_ms(base::kDayMs));
    return std::string("quiet_hours");
  }
  BECKON_TRY(auto capped, check_caps(delivery, now, claim));
  return capped.empty() ? check_shelf(delivery, claim) : std::move(capped);
}

std::string Sender::reserve(Delivery& delivery) {
  const auto found = decisions_.find({delivery.customer.bytes(), std::to_string(delivery.slot)});
  BECKON_CHECK(found != decisions_.end());
  const auto reserved = reserved_by(*parts_.campaign, found->second);
  for (const auto& [name, amount] : reserved) {
    if (counters_.at(name).left() < amount) {
      return name.find("|quantity|") != std::string::npos ? "quantity" : "budget";
    }
  }
  for (const auto& [name, amount] : reserved) {
    counters_.at(name).escrowed += amount;
  }
  delivery.escrow_minor = escrow_of(*parts_.campaign, found->second);
  return {};
}

base::Status Sender::check_and_claim(Delivery& delivery, base::Instant now) {
  Claim claim;
  BECKON_TRY(std::string reason, check(delivery, now, claim));
  if (reason.empty()) {
    reason = reserve(delivery);
  }
  if (!reason.empty()) {
    const bool hold = claim.hold_until.has_value() && *claim.hold_until <= delivery.expires;
    delivery.state = hold ? DeliveryState::kHeld : reason == "expired" ? DeliveryState::kDead : DeliveryState::kDropped;
    delivery.due = hold ? *claim.hold_until : delivery.due;
    delivery.reason = reason;
    return base::ok_status();
  }
  const catalog::Offer* offer = parts_.campaign->offer(base::OfferId(delivery.offer));
  BECKON_CHECK(offer != nullptr);
  delivery.offer_until = now.plus_ms(offer->valid_days * base::kDayMs);
  BECKON_TRY(const auto key, parts_.keys->find(delivery.customer));
  const std::string& trait = parts_.shop->channels.at(delivery.channel).address_trait;
  auto sealed = claim.profile.sealed.find(trait.empty() ? "id" : trait);
  if (sealed == claim.profile.sealed.end()) {
    sealed = claim.profile.sealed.find("id");  // file and webhook hand over to the shop's own systems, which know their customers
  }
  if (!key.has_value() || sealed == claim.profile.sealed.end()) {
    release(*parts_.campaign, decisions_.at({delivery.customer.bytes(), std::to_string(delivery.slot)}), counters_);
    delivery.state = DeliveryState::kDropped;
    delivery.reason = "no_address";
    return base::ok_status();
  }
  BECKON_TRY(const std::string to, privacy::decrypt(sealed->second, *key, profile_context(delivery.customer, sealed->first)));
  auto payload = parts_.render(*claim.permit, delivery, *claim.item, {&claim.profile, to});
  if (!payload.ok()) {
    release(*parts_.campaign, decisions_.at({delivery.customer.bytes(), std::to_string(delivery.slot)}), counters_);
    delivery.state = DeliveryState::kDropped;
    delivery.reason = "text: " + payload.error().message;
    return base::ok_status();
  }
  // The payload names the recipient, so the ledger keeps it encrypted under his key.
  delivery.payload = privacy::encrypt(*payload, *key, payload_context(delivery.id));
  delivery.state = DeliveryState::kClaimed;
  delivery.reason.clear();
  delivery.claimed_at = now;
  delivery.replay = parts_.replay;
  return base::ok_status();
}

}  // namespace beckon::deliver
