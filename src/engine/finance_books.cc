// Deliveries, decisions and orders of the store → the books.
#include <unordered_map>

#include "beckon/base/log.h"
#include "beckon/measure/measure.h"
#include "finance.h"
#include "outcomes.h"

namespace beckon::engine {
namespace {

constexpr const char* kErasedNote = "finance|erased";
using Key = std::pair<std::string, std::string>;  // campaign, period

// What the campaigns said, and which of them can no longer be read.
struct Terms {
  std::map<Key, catalog::Campaign> campaigns;
  std::vector<std::string> notes;
};

base::Result<Terms> terms_of(const Context& context) {
  Terms out;
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes("plan|"));
  for (const auto& [name, note] : notes) {
    auto planned = planned_of(context, note);
    if (!planned.ok()) {
      out.notes.push_back("A plan cannot be read (" + planned.error().message + "): of its campaign, codes in wrong hands count as other codes, and orders are "
                          "attributed for 7 days after a message");
    } else if (!planned->file.replay) {
      out.campaigns[{planned->file.campaign, planned->file.period}] = std::move(planned->campaign);
    }
  }
  return out;
}

// The same rule as for money in escrow: what may have arrived counts as arrived.
bool handed_over(const events::Delivery& d) {
  const bool perhaps = d.attempts > 0 && (d.state == events::DeliveryState::kUnknown || d.state == events::DeliveryState::kDead);
  return !d.replay && (d.state == events::DeliveryState::kAccepted || perhaps);
}

class PromiseMaker {
 public:
  PromiseMaker(const Context& context, const Terms& terms) : context_(context), terms_(terms), records_(*context.rows) {}

  base::Result<measure::Promise> make(const events::Delivery& d) {
    if (decisions_.empty() || decisions_.front().customer != d.customer) {  // deliveries come customer after customer
      BECKON_TRY(decisions_, records_.decisions(d.customer));
    }
    const auto found = terms_.campaigns.find({d.campaign, d.period});
    const catalog::Campaign* campaign = found == terms_.campaigns.end() ? nullptr : &found->second;
    measure::Promise out;
    out.delivery = d.id;
    out.campaign = d.campaign;
    out.offer = d.offer;
    out.market = d.market;
    out.currency = d.currency;
    out.item = d.item;
    out.code = d.code;
    out.issued_at = d.claimed_at;
    out.valid_until = d.offer_until;
    base::Instant decided_at = d.claimed_at;
    const auto decision = std::find_if(decisions_.begin(), decisions_.end(), [&](const events::Decision& one) {
      return one.campaign == d.campaign && one.period == d.period && one.slot == d.slot && one.offer == d.offer && one.item == d.item;
    });
    if (decision != decisions_.end()) {
      decided_at = decision->at;
      out.face_minor = decision->face_minor;
      out.expected_micro = decision->expected_cost_micro;
      out.send_cost_micro = decision->send_cost_micro;
    } else {  // a newer plan decided otherwise after this one was sent: the offer's own terms hold
      fill_by_terms(d, campaign, out);
    }
    const std::int64_t window_ms = campaign == nullptr ? measure::OutcomeOptions().attribution_ms : campaign->attribution_days * base::kDayMs;
    out.attributed_until = decided_at.plus_ms(window_ms);
    return out;
  }

 private:
  void fill_by_terms(const events::Delivery& d, const catalog::Campaign* campaign, measure::Promise& out) const {
    const catalog::Offer* offer = campaign == nullptr ? nullptr : campaign->offer(base::OfferId(d.offer));
    const auto currency = base::Currency::parse(d.currency);
    if (offer != nullptr && currency.ok()) {
      out.face_minor = offer->face_cost(base::Money(d.price_minor, *currency)).minor();
    }
    const auto channel = context_.config.shop.channels.find(d.channel);
    out.send_cost_micro = channel == context_.config.shop.channels.end() ? 0 : channel->second.send_cost_micro;
  }

  const Context& context_;
  const Terms& terms_;
  store::Records records_;
  std::vector<events::Decision> decisions_;  ///< of the customer at hand
};

measure::BooksOptions options_of(const Context& context, const Terms& terms) {
  measure::BooksOptions out;
  out.zone = books_zone(context);
  out.as_of = context.clock->now();
  out.market = context.config.shop.default_market().id;
  for (const auto& [key, campaign] : terms.campaigns) {
    for (const auto& offer : campaign.offers) {
      if (!offer.code.empty()) {
        out.codes.push_back({offer.code, key.first, offer.id.str(), campaign.market, campaign.starts});
      }
    }
  }
  return out;
}

base::Result<measure::Books> erased_books(const Context& context) {
  BECKON_TRY(const auto note, store::Records(*context.rows).note(kErasedNote));
  if (!note.has_value()) {
    return measure::Books();
  }
  BECKON_TRY(const auto json, base::parse_json(*note));
  return measure::books_from_json(json);
}

}  // namespace

base::Zone books_zone(const Context& context) { return context.config.shop.default_market().time_zone(); }

base::Result<ShopBooks> shop_books(const Context& context) {
  BECKON_TRY(const Terms terms, terms_of(context));
  const measure::BooksOptions options = options_of(context, terms);
  BECKON_TRY(const auto person_of, store::People(*context.rows).links());
  PromiseMaker maker(context, terms);
  std::unordered_map<privacy::Pseudonym, std::vector<measure::Promise>> promises;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& d) {
    if (handed_over(d)) {
      auto promise = maker.make(d);
      problem = promise.ok() ? base::ok_status() : base::Status(promise.error());
      if (promise.ok()) {
        const auto linked = person_of.find(d.customer);
        promises[linked == person_of.end() ? d.customer : linked->second].push_back(std::move(*promise));
      }
    }
    return problem.ok();
  }));
  BECKON_TRY_STATUS(problem);
  ShopBooks out;
  out.notes = terms.notes;
  BECKON_TRY(out.books, erased_books(context));
  BECKON_TRY_STATUS(store::for_each_person(*context.rows, options.as_of, [&](const privacy::Pseudonym& person, std::vector<events::Event>& window) {
    const auto mine = promises.find(person);
    measure::add_person(window, mine == promises.end() ? std::vector<measure::Promise>() : mine->second, options, out.books);
    promises.erase(person);
    return true;
  }));
  for (const auto& [person, messages] : promises) {  // who got a message and did nothing that is known
    measure::add_person({}, messages, options, out.books);
  }
  if (out.books.too_large()) {
    return base::failed_precondition("the sums of the books do not fit into 64 bits: an order has an impossible price or quantity; beckon export --table events "
                                     "--format csv shows it");
  }
  return out;
}

base::Status keep_books_of(const Context& context, const privacy::Pseudonym& person, store::WriteBatch& changes) {
  BECKON_TRY(const Terms terms, terms_of(context));
  const measure::BooksOptions options = options_of(context, terms);
  BECKON_TRY(auto ids, store::People(*context.rows).ids_of(person));
  ids.push_back(person);
  PromiseMaker maker(context, terms);
  std::vector<measure::Promise> promises;
  for (const auto& id : ids) {
    BECKON_TRY(const auto deliveries, store::Records(*context.rows).deliveries(id));
    for (const auto& d : deliveries) {
      if (handed_over(d)) {
        BECKON_TRY(promises.emplace_back(), maker.make(d));
      }
    }
  }
  BECKON_TRY(const auto window, store::read_person(*context.rows, person, options.as_of));
  BECKON_TRY(measure::Books kept, erased_books(context));
  measure::Books his;
  measure::add_person(window, promises, options, his);
  if (his.too_large()) {  // his orders are what makes the books impossible: without him they can be made again
    base::log_warning("sums of an erased customer do not fit and are not kept", {});
    return base::ok_status();
  }
  const measure::Month now = measure::month_of(options.as_of, options.zone);
  for (const auto& [key, open] : measure::make_statement(his, {}, now).open) {
    kept.add(now, key, measure::Column::kExpired, open.coupons);
    kept.add(now, key, measure::Column::kExpiredFaceMinor, open.face_minor);
    kept.add(now, key, measure::Column::kEndedExpectedMicro, open.expected_micro);
  }
  kept.add(his);
  if (!kept.months().empty()) {
    store::Records::put_note(kErasedNote, base::to_line(measure::to_json(kept)), changes);
  }
  return base::ok_status();
}

}  // namespace beckon::engine
