#include "sent_messages.h"

#include <map>
#include <unordered_map>

#include "beckon/base/log.h"
#include "beckon/base/rng.h"
#include "beckon/store/records.h"
#include "outcomes.h"

namespace beckon::engine {
namespace {

struct OfferTerms {
  catalog::OfferKind kind = catalog::OfferKind::kNone;
  std::int64_t depth_bp = 0;
};
using OfferBook = std::map<std::pair<std::string, std::string>, OfferTerms>;  // (campaign, offer)

// A plan that cannot be read any more takes the terms of its offers with it: its messages count on, as offers of no known kind.
base::Result<OfferBook> offers_of(const Context& context) {
  OfferBook out;
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes("plan|"));
  for (const auto& [name, note] : notes) {
    const auto planned = planned_of(context, note);
    if (!planned.ok()) {
      base::log_warning("offers of sent messages are not known", {{"plan", name}, {"because", planned.error().message}});
      continue;
    }
    for (const auto& offer : planned->campaign.offers) {
      out[{planned->campaign.id.str(), offer.id.str()}] = {offer.kind, offer.depth_bp};
    }
  }
  return out;
}

struct Shown {
  std::uint64_t item_hash = 0;
  OfferTerms terms;
  features::MessageChannel channel = features::MessageChannel::kOther;
};

base::Result<std::unordered_map<std::uint64_t, Shown>> ledger(const Context& context) {
  BECKON_TRY(const OfferBook offers, offers_of(context));
  std::unordered_map<std::uint64_t, Shown> out;
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& delivery) {
    if (delivery.replay) {
      return true;
    }
    Shown shown;
    shown.item_hash = delivery.item.empty() ? 0 : base::stable_hash(delivery.item);
    shown.channel = features::message_channel_of(delivery.channel);
    if (const auto found = offers.find({delivery.campaign, delivery.offer}); found != offers.end()) {
      shown.terms = found->second;
    }
    out[base::stable_hash(delivery.id)] = shown;
    return true;
  }));
  return out;
}

}  // namespace

base::Result<std::vector<response::SentMessage>> sent_messages(const Context& context, const features::Dataset& data) {
  BECKON_TRY(const auto shown_by_delivery, ledger(context));
  std::unordered_map<std::uint64_t, std::int32_t> token_of;
  for (std::int32_t token = 1; token < data.vocabulary.size(); ++token) {
    token_of[base::stable_hash(data.vocabulary.item(token))] = token;
  }
  const base::Zone zone = context.config.shop.default_market().time_zone();
  std::vector<response::SentMessage> out;
  for (std::size_t h = 0; h < data.histories.size(); ++h) {
    for (const auto& message : data.histories[h].messages) {
      const auto found = shown_by_delivery.find(message.delivery_hash);
      const Shown shown = found != shown_by_delivery.end() ? found->second : Shown{message.item_hash, {}, message.channel};
      const auto token = token_of.find(shown.item_hash);
      response::Approach approach{shown.terms.kind, shown.terms.depth_bp, shown.channel, zone.to_local({message.at_ms}).hour, true};
      out.push_back({h, {message.at_ms}, token == token_of.end() ? 0 : token->second, approach, message.clicked_ms});
    }
  }
  return out;
}

}  // namespace beckon::engine
