#include <algorithm>
#include <array>

#include "beckon/base/rng.h"
#include "beckon/deliver/deliver.h"
#include "claim.h"

namespace beckon::deliver {
namespace {

using events::Delivery;
using events::DeliveryState;

constexpr std::size_t kBatch = 512;              // one sync for the claims, one for the answers
constexpr std::int64_t kAttemptsMax = 10;
constexpr std::int64_t kGraceMs = 2 * base::kDayMs;  // outcomes of the last days come in late

bool waits(const Delivery& d) {
  return d.state == DeliveryState::kPlanned || d.state == DeliveryState::kHeld || d.state == DeliveryState::kUnknown;
}

// Standard Webhooks' schedule with ± 20 % jitter that depends on the message alone.
std::int64_t backoff_ms(const Delivery& d) {
  static constexpr std::array<std::int64_t, kAttemptsMax> kWaits{
      5 * base::kSecondMs, 5 * base::kMinuteMs, 30 * base::kMinuteMs, 2 * base::kHourMs, 5 * base::kHourMs,
      10 * base::kHourMs, 14 * base::kHourMs, 20 * base::kHourMs, 24 * base::kHourMs, 24 * base::kHourMs};
  const auto index = static_cast<std::size_t>(std::clamp<std::int64_t>(d.attempts - 1, 0, kAttemptsMax - 1));
  base::Rng rng(base::stable_hash(d.id), static_cast<std::uint64_t>(d.attempts));
  return static_cast<std::int64_t>(static_cast<double>(kWaits[index]) * (0.8 + 0.4 * rng.uniform()));
}

std::int64_t offer_budget_amount(const catalog::Budget& budget, const events::Decision& d) {
  const bool pays = budget.offers.empty() || std::find(budget.offers.begin(), budget.offers.end(), d.offer) != budget.offers.end();
  if (!pays) {
    return 0;
  }
  const std::int64_t micro = (budget.basis == catalog::BudgetBasis::kFace ? d.face_minor * 1'000'000 : d.expected_cost_micro) +
                             d.send_cost_micro;
  return (micro + 999'999) / 1'000'000;
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> reserved_by(const catalog::Campaign& campaign, const events::Decision& d) {
  std::vector<std::pair<std::string, std::int64_t>> out;
  for (const auto& budget : campaign.budgets) {
    if (const std::int64_t amount = offer_budget_amount(budget, d); amount > 0) {
      out.emplace_back(budget_counter(campaign, budget.id), amount);
    }
  }
  const catalog::Offer* offer = campaign.offer(base::OfferId(d.offer));
  if (offer != nullptr && offer->quantity_max > 0) {
    out.emplace_back(quantity_counter(campaign, d.offer), 1);
  }
  return out;
}

std::int64_t escrow_of(const catalog::Campaign& campaign, const events::Decision& d) {
  std::int64_t most = 0;
  for (const auto& budget : campaign.budgets) {
    most = std::max(most, offer_budget_amount(budget, d));
  }
  return most;
}

void release(const catalog::Campaign& campaign, const events::Decision& d, std::map<std::string, store::Counter>& counters) {
  for (const auto& [name, amount] : reserved_by(campaign, d)) {
    counters.at(name).escrowed -= amount;
  }
}

std::string payload_context(const std::string& delivery_id) { return "payload|" + delivery_id; }
std::string profile_context(const privacy::Pseudonym& customer, const std::string& field) {
  return "profile|" + customer.bytes() + "|" + field;
}

base::Status Sender::load() {
  if (loaded_) {
    return base::ok_status();
  }
  const catalog::Campaign& campaign = *parts_.campaign;
  const store::Records records(*parts_.rows);
  BECKON_TRY(counters_, records.counters(campaign.id.str() + "|" + campaign.period + "|"));
  for (const auto& budget : campaign.budgets) {
    counters_[budget_counter(campaign, budget.id)].limit = budget.amount.minor();
  }
  for (const auto& offer : campaign.offers) {
    if (offer.quantity_max > 0) {
      counters_[quantity_counter(campaign, offer.id.str())].limit = offer.quantity_max;
    }
  }
  BECKON_TRY(const auto items, store::Shelf(*parts_.rows).items());
  for (const auto& item : items) {
    if (item.market.empty() || item.market == campaign.market) {
      items_[item.id.str()] = item;
    }
  }
  BECKON_TRY_STATUS(records.for_each_decision([&](const events::Decision& d) {
    if (d.campaign == campaign.id.str() && d.period == campaign.period) {
      decisions_[{d.customer.bytes(), std::to_string(d.slot)}] = d;
    }
    return true;
  }));
  loaded_ = true;
  return base::ok_status();
}

base::Result<std::vector<Delivery>> Sender::mine() const {
  std::vector<Delivery> out;
  BECKON_TRY_STATUS(store::Records(*parts_.rows).for_each_delivery([&](const Delivery& d) {
    if (d.campaign == parts_.campaign->id.str() && d.period == parts_.campaign->period) {
      out.push_back(d);
    }
    return true;
  }));
  return out;
}

Delivery Sender::intent_of(const events::Decision& d, base::Instant now) const {
  Delivery out;
  out.customer = d.customer;
  out.id = delivery_id(parts_.tenant, d);
  out.campaign = d.campaign;
  out.period = d.period;
  out.plan = d.plan;
  out.slot = d.slot;
  out.group = d.group;
  out.propensity = d.propensity;
  out.market = d.market;
  out.currency = d.currency;
  out.channel = d.channel;
  out.item = d.item;
  out.offer = d.offer;
  const catalog::Offer* offer = parts_.campaign->offer(base::OfferId(d.offer));
  out.code = offer == nullptr ? "" : offer->code;
  out.hour = d.hour;
  out.price_minor = d.price_minor;
  out.planned_at = now;
  out.due = std::max(now, parts_.campaign->starts);
  out.expires = parts_.campaign->ends;
  return out;
}

base::Result<IntentCounts> Sender::add_intents(std::span<const events::Decision> decisions, base::Instant now) {
  BECKON_TRY_STATUS(load());
  IntentCounts counts;
  store::WriteBatch changes;
  const store::Records records(*parts_.rows);
  const store::People people(*parts_.rows);
  for (const auto& decision : decisions) {
    if (!decision.chosen || events::is_held_out(decision.group)) {
      continue;  // a ghost pick has no delivery
    }
    if (!decisions_.contains({decision.customer.bytes(), std::to_string(decision.slot)})) {
      return base::failed_precondition("the plan was interrupted while it was written: make it again with beckon plan");
    }
    Delivery intent = intent_of(decision, now);
    BECKON_TRY(const auto stored, records.delivery(intent.customer, intent.id));
    const bool replaceable = stored.has_value() && stored->attempts == 0 && stored->plan != intent.plan &&
                             (stored->state == DeliveryState::kPlanned || stored->state == DeliveryState::kHeld ||
                              stored->state == DeliveryState::kDropped);
    if (stored.has_value() && !replaceable) {
      ++counts.kept;
      continue;
    }
    ++(stored.has_value() ? counts.replaced : counts.added);
    if (decision.hour >= 0) {
      BECKON_TRY(const auto profile, people.profile(intent.customer));
      const auto zones = zones_of(profile.value_or(store::Profile{}), parts_.shop->market(intent.market));
      intent.due = zones.empty() ? intent.due : next_hour(intent.due, zones.front(), static_cast<int>(decision.hour));
    }
    store::Records::put(intent, changes);
    if (changes.size() >= kBatch) {
      BECKON_TRY_STATUS(parts_.rows->write(changes));
      changes = {};
    }
  }
  for (const auto& [name, counter] : counters_) {
    store::Records::put(name, counter, changes);
  }
  BECKON_TRY_STATUS(parts_.rows->write(changes));
  return counts;
}

base::Result<std::string> Sender::open_payload(const Delivery& d) const {
  BECKON_TRY(const auto key, parts_.keys->find(d.customer));
  if (!key.has_value()) {
    return base::not_found("the data key of a customer is gone: he was erased");
  }
  return privacy::decrypt(d.payload, *key, payload_context(d.id));
}

// What was claimed when the last run ended may have left: ask the transport; what it cannot tell is handed over again, with the same
// id and bytes.
base::Status Sender::recover(base::Instant now) {
  BECKON_TRY(auto all, mine());
  std::map<std::string, std::set<std::string>> ids;
  for (const auto& d : all) {
    if (d.state == DeliveryState::kClaimed || d.state == DeliveryState::kUnknown) {
      ids[d.channel].insert(d.id);
    }
  }
  store::WriteBatch changes;
  for (const auto& [channel, wanted] : ids) {
    Transport* transport = parts_.transport(channel);
    std::set<std::string> sent;
    if (transport != nullptr) {
      BECKON_TRY(sent, transport->already_sent(wanted));
    }
    for (auto& d : all) {
      if (d.channel != channel || !wanted.contains(d.id)) {
        continue;
      }
      const bool left = sent.contains(d.id);
      d.state = left ? DeliveryState::kAccepted : DeliveryState::kUnknown;
      d.accepted_at = left ? now : d.accepted_at;
      d.reason = left ? "" : "interrupted";
      store::Records::put(d, changes);
    }
  }
  return changes.empty() ? base::ok_status() : parts_.rows->write(changes);
}

base::Status Sender::hand_over(std::vector<Delivery>& batch, base::Instant now, SendCounts& counts) {
  std::map<std::string, std::vector<Delivery*>> by_channel;
  for (auto& d : batch) {
    if (d.state == DeliveryState::kClaimed) {
      by_channel[d.channel].push_back(&d);
    }
  }
  store::WriteBatch changes;
  for (auto& [channel, members] : by_channel) {
    std::vector<Parcel> parcels;
    for (Delivery* d : members) {
      BECKON_TRY(auto payload, open_payload(*d));
      parcels.push_back({d->id, std::move(payload), d->campaign});
    }
    Transport* transport = parts_.transport(channel);
    if (transport == nullptr) {
      return base::failed_precondition("channel " + channel + " has no transport: name one in [channel." + channel + "]");
    }
    const auto receipts = transport->send(parcels);
    BECKON_CHECK(receipts.size() == members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      Delivery& d = *members[i];
      const Receipt& receipt = receipts[i];
      ++d.attempts;
      d.reason = receipt.reason;
      if (receipt.answer == Answer::kAccepted) {
        d.state = DeliveryState::kAccepted;
        d.accepted_at = now;
        ++counts.accepted;
      } else if (receipt.answer == Answer::kRefused) {
        d.state = DeliveryState::kFailed;
        release(*parts_.campaign, decisions_.at({d.customer.bytes(), std::to_string(d.slot)}), counters_);
        ++counts.not_sent["refused"];
      } else {
        d.state = d.attempts >= kAttemptsMax ? DeliveryState::kDead : DeliveryState::kUnknown;
        d.due = now.plus_ms(std::max(backoff_ms(d), receipt.retry_after_ms));
        ++counts.retried;
      }
      store::Records::put(d, changes);
    }
  }
  for (const auto& [name, counter] : counters_) {
    store::Records::put(name, counter, changes);
  }
  return parts_.rows->write(changes);
}

base::Result<SendCounts> Sender::send_due(base::Instant now, const std::function<bool(const SendCounts&)>& keep_going) {
  BECKON_TRY_STATUS(load());
  BECKON_TRY_STATUS(recover(now));
  BECKON_TRY(auto all, mine());
  SendCounts counts;
  std::vector<Delivery> due;
  for (auto& d : all) {
    if (waits(d) && d.due <= now) {
      due.push_back(std::move(d));
    } else if (waits(d)) {
      ++counts.waiting;
    }
  }
  const auto value_of = [&](const Delivery& d) {
    const auto found = decisions_.find({d.customer.bytes(), std::to_string(d.slot)});
    return found == decisions_.end() ? 0 : found->second.value_micro;
  };
  // Highest expected value first: who comes first matters when a cap or a budget runs out.
  std::stable_sort(due.begin(), due.end(), [&](const auto& a, const auto& b) { return value_of(a) > value_of(b); });
  for (std::size_t start = 0; start < due.size() && keep_going(counts); start += kBatch) {
    std::vector<Delivery> batch(due.begin() + static_cast<std::ptrdiff_t>(start),
                                due.begin() + static_cast<std::ptrdiff_t>(std::min(due.size(), start + kBatch)));
    store::WriteBatch claims;
    for (auto& d : batch) {
      if (d.state == DeliveryState::kUnknown && !d.payload.empty() && now > d.expires) {
        d.state = DeliveryState::kDead;
        d.reason = "expired, not known whether it arrived: " + d.reason;
      } else if (d.state == DeliveryState::kUnknown && !d.payload.empty()) {
        d.state = DeliveryState::kClaimed;  // same id, same bytes: nothing is decided again
      } else {
        BECKON_TRY_STATUS(check_and_claim(d, now));
      }
      if (d.state != DeliveryState::kClaimed) {
        ++(d.state == DeliveryState::kHeld ? counts.waiting : counts.not_sent[d.reason]);
      }
      store::Records::put(d, claims);
    }
    for (const auto& [name, counter] : counters_) {
      store::Records::put(name, counter, claims);
    }
    BECKON_TRY_STATUS(parts_.rows->write(claims));  // durable before the first byte leaves
    BECKON_TRY_STATUS(hand_over(batch, now, counts));
  }
  return counts;
}

base::Result<std::optional<base::Instant>> Sender::next_due(base::Instant after) const {
  BECKON_TRY(const auto all, mine());
  std::optional<base::Instant> next;
  for (const auto& d : all) {
    if (waits(d) && d.due > after && (!next.has_value() || d.due < *next)) {
      next = d.due;
    }
  }
  return next;
}

base::Result<std::int64_t> Sender::settle(base::Instant now, const std::function<bool(const Delivery&)>& redeemed) {
  BECKON_TRY_STATUS(load());
  BECKON_TRY(auto all, mine());
  store::WriteBatch changes;
  std::int64_t settled = 0;
  for (auto& d : all) {
    const auto decision = decisions_.find({d.customer.bytes(), std::to_string(d.slot)});
    // A dead letter may have arrived all the same: its escrow goes by the same rule.
    const bool holds_escrow = d.state == DeliveryState::kAccepted || (d.state == DeliveryState::kDead && d.attempts > 0);
    if (d.settled || !holds_escrow || decision == decisions_.end()) {
      continue;
    }
    const bool used = redeemed(d);
    if (!used && now.ms <= d.offer_until.ms + kGraceMs) {
      continue;
    }
    const std::int64_t send_minor = (decision->second.send_cost_micro + 999'999) / 1'000'000;
    d.settled = true;
    d.settled_minor = (used ? decision->second.face_minor : 0) + send_minor;
    for (const auto& [name, amount] : reserved_by(*parts_.campaign, decision->second)) {
      store::Counter& counter = counters_.at(name);
      counter.escrowed -= amount;
      const bool pieces = name.find("|quantity|") != std::string::npos;
      counter.settled += pieces ? (used ? 1 : 0) : d.settled_minor;
    }
    store::Records::put(d, changes);
    ++settled;
  }
  for (const auto& [name, counter] : counters_) {
    store::Records::put(name, counter, changes);
  }
  BECKON_TRY_STATUS(parts_.rows->write(changes));
  return settled;
}

base::Result<std::int64_t> Sender::cancel(base::Instant now) {
  BECKON_TRY(auto all, mine());
  store::WriteBatch changes;
  for (auto& d : all) {
    if (d.state == DeliveryState::kPlanned || d.state == DeliveryState::kHeld) {
      d.state = DeliveryState::kCancelled;
      d.reason = "cancelled at " + base::format_time(now);
      store::Records::put(d, changes);
    }
  }
  const auto cancelled = static_cast<std::int64_t>(changes.size());
  BECKON_TRY_STATUS(parts_.rows->write(changes));
  return cancelled;
}

}  // namespace beckon::deliver
