// One person's flows.
#include "beckon/measure/finance.h"

#include <algorithm>

#include "beckon/events/clean.h"

namespace beckon::measure {
namespace {

using events::Event;
using events::EventType;

// One message while the person's events are read.
struct Held {
  const Promise* promise;
  RowKey key;
  bool used = false;
  bool face_booked = false;
  base::Instant clicked_at{};  ///< the last before the line at hand
};

// Where a purchase line was booked, for what is returned of it later.
struct Line {
  std::size_t order = 0;
  RowKey discount_row;
  std::int64_t discount_minor = 0;
  std::int64_t returned = 0;  ///< pieces so far
};

// Lines with the same order id; a line without one is an order of its own.
struct Order {
  std::size_t first = 0;  ///< place of its first line
  std::vector<std::size_t> lines;
  const Held* touched = nullptr;
  int strength = 0;
  base::Instant touched_at{};
};

bool in_context(const Event& event, const Promise& promise) {
  return event.delivery.empty() ? !event.campaign.empty() && event.campaign == promise.campaign : event.delivery == promise.delivery;
}

class Person {
 public:
  Person(std::span<const Event> window, std::span<const Promise> promises, const BooksOptions& options, Books& books)
      : window_(window), options_(options), books_(books), lines_(window.size()) {
    for (const auto& promise : promises) {
      if (promise.issued_at <= options.as_of) {
        held_.push_back({&promise, {promise.campaign, promise.offer, promise.market, promise.currency}});
      }
    }
    // By issue, then id: among equals the later one wins, whatever order they came in.
    std::sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) {
      return a.promise->issued_at != b.promise->issued_at ? a.promise->issued_at < b.promise->issued_at : a.promise->delivery < b.promise->delivery;
    });
  }

  void book() {
    for (const auto& held : held_) {
      book_issue(held);
    }
    const auto machine = events::machine_answers(window_);
    for (std::size_t i = 0; i < window_.size() && window_[i].at <= options_.as_of; ++i) {
      if (machine[i] != 0) {
        continue;
      }
      if (window_[i].type == EventType::kClick) {
        book_click(window_[i]);
      } else if (window_[i].type == EventType::kPurchase) {
        book_discount(i);
        book_touch(i);
      }
    }
    for (const auto& order : orders_) {
      book_order(order);
    }
    book_refunds();
    for (const auto& held : held_) {
      book_expiry(held);
    }
  }

 private:
  void add(base::Instant when, const RowKey& key, Column column, std::int64_t amount) {
    books_.add(month_of(when, options_.zone), key, column, amount);
  }
  static std::string currency(const Event& event) { return std::string(event.unit_price.currency().code()); }
  RowKey shop_row(const Event& event) const { return {"", "", event.market.empty() ? options_.market : event.market, currency(event)}; }
  static RowKey in_currency(RowKey key, const Event& event) {
    key.currency = currency(event);
    return key;
  }

  void book_issue(const Held& held) {
    const Promise& p = *held.promise;
    add(p.issued_at, held.key, Column::kMessages, 1);
    add(p.issued_at, held.key, Column::kSendCostMicro, p.send_cost_micro);
    add(p.issued_at, held.key, Column::kTextCostMicro, p.text_cost_micro);
    if (p.face_minor > 0) {
      add(p.issued_at, held.key, Column::kIssued, 1);
      add(p.issued_at, held.key, Column::kIssuedFaceMinor, p.face_minor);
      add(p.issued_at, held.key, Column::kIssuedExpectedMicro, p.expected_micro);
    }
  }

  void book_click(const Event& click) {
    for (auto& held : held_) {
      if (in_context(click, *held.promise) && held.promise->issued_at < click.at) {
        held.clicked_at = click.at;
      }
    }
  }

  static bool uses(const Event& line, const Promise& p) {
    if (p.face_minor <= 0 || line.at <= p.issued_at || line.at > p.valid_until) {
      return false;
    }
    return p.code.empty() ? line.coupon.empty() && line.item == p.item && in_context(line, p) : line.coupon == p.code;
  }

  void book_discount(std::size_t i) {
    const Event& line = window_[i];
    const std::int64_t stated_minor = line.discount_minor.value_or(0);
    add(line.at, shop_row(line), Column::kOrderDiscountMinor, stated_minor);
    lines_[i].discount_minor = stated_minor;
    const auto user = std::find_if(held_.rbegin(), held_.rend(), [&](const Held& held) { return uses(line, *held.promise); });
    if (user != held_.rend()) {
      book_redemption(i, *user);
      return;
    }
    const CampaignCode* printed = nullptr;
    for (const auto& code : options_.codes) {
      const bool fits = !line.coupon.empty() && code.code == line.coupon && code.from <= line.at;
      printed = fits && (printed == nullptr || printed->from <= code.from) ? &code : printed;
    }
    if (printed != nullptr) {
      lines_[i].discount_row = {printed->campaign, printed->offer, printed->market, currency(line)};
      add(line.at, lines_[i].discount_row, Column::kUnaddressed, 1);
      add(line.at, lines_[i].discount_row, Column::kUnaddressedMinor, stated_minor);
      return;
    }
    lines_[i].discount_row = shop_row(line);
    add(line.at, lines_[i].discount_row, line.coupon.empty() ? Column::kNoCodeMinor : Column::kOtherCodeMinor, stated_minor);
  }

  void book_redemption(std::size_t i, Held& held) {
    const Event& line = window_[i];
    const Promise& p = *held.promise;
    if (!held.used) {
      held.used = true;
      add(line.at, held.key, Column::kRedeemed, 1);
      add(line.at, held.key, Column::kRedeemedFaceMinor, p.face_minor);
      add(line.at, held.key, Column::kEndedExpectedMicro, p.expected_micro);
    }
    Line& booked = lines_[i];
    booked.discount_row = in_currency(held.key, line);
    if (!line.discount_minor.has_value() && line.item == p.item && !held.face_booked) {
      held.face_booked = true;  // one coupon, one piece
      booked.discount_row = held.key;
      booked.discount_minor = p.face_minor;
      add(line.at, booked.discount_row, Column::kRedeemedUnstatedMinor, p.face_minor);
    }
    add(line.at, booked.discount_row, Column::kRedeemedMinor, booked.discount_minor);
  }

  // How surely the line answers the message, and when it was touched; 0: not at all.
  std::pair<int, base::Instant> touch(const Event& line, const Held& held) const {
    const Promise& p = *held.promise;
    if (line.at <= p.issued_at) {
      return {0, {}};
    }
    const base::Instant when = std::max(p.issued_at, held.clicked_at);
    if (!p.code.empty() && uses(line, p)) {
      return {3, when};
    }
    if (line.at > p.attributed_until) {
      return {0, {}};
    }
    return in_context(line, p) ? std::pair{2, when} : held.clicked_at.ms > 0 ? std::pair{1, when} : std::pair{0, base::Instant{}};
  }

  void book_touch(std::size_t i) {
    const Event& line = window_[i];
    std::size_t place = orders_.size();
    if (!line.order.empty()) {
      place = order_places_.try_emplace(line.order, place).first->second;
    }
    if (place == orders_.size()) {
      orders_.push_back({i, {}});
    }
    Order& order = orders_[place];
    order.lines.push_back(i);
    lines_[i].order = place;
    for (const auto& held : held_) {
      const auto [strength, when] = touch(line, held);
      if (strength > order.strength || (strength > 0 && strength == order.strength && when >= order.touched_at)) {
        order.touched = &held;
        order.strength = strength;
        order.touched_at = when;
      }
    }
  }

  RowKey order_row(const Order& order, const Event& line) const {
    return order.touched == nullptr ? shop_row(line) : in_currency(order.touched->key, line);
  }

  void book_order(const Order& order) {
    const Event& first = window_[order.first];
    add(first.at, shop_row(first), Column::kOrders, 1);
    if (order.touched != nullptr) {
      add(first.at, order_row(order, first), Column::kAttributedOrders, 1);
    }
    for (const std::size_t i : order.lines) {
      const std::int64_t paid_minor = times(window_[i].unit_price, window_[i].quantity);
      add(first.at, shop_row(window_[i]), Column::kSalesMinor, paid_minor);
      if (order.touched != nullptr) {
        add(first.at, order_row(order, window_[i]), Column::kAttributedMinor, paid_minor);
      }
    }
  }

  std::int64_t times(const base::Money& price, std::int64_t pieces) {
    const auto product = price.times(pieces);
    if (!product.ok()) {
      books_.set_too_large();
    }
    return product.value_or(base::Money()).minor();
  }

  void book_refunds() {
    const auto seen = std::partition_point(window_.begin(), window_.end(), [&](const Event& e) { return e.at <= options_.as_of; });
    const auto window = window_.first(static_cast<std::size_t>(seen - window_.begin()));
    const auto pairs = events::pair_refunds(window);
    std::vector<std::int64_t> found(window.size(), 0);
    for (const auto& [purchase, refund, pieces] : pairs.taken) {
      found[refund] += pieces;
      book_return(window[refund], {purchase, pieces});
    }
    for (std::size_t i = 0; i < window.size(); ++i) {
      const std::int64_t wanted = window[i].item.empty() ? 1 : window[i].quantity;
      if (window[i].type == EventType::kRefund && found[i] < wanted) {
        add(window[i].at, shop_row(window[i]), Column::kUnpairedRefunds, 1);
      }
    }
  }

  void book_return(const Event& refund, std::pair<std::size_t, std::int64_t> purchase_and_pieces) {
    const auto [i, pieces] = purchase_and_pieces;
    const Event& bought = window_[i];
    const bool priced = !refund.item.empty() && refund.unit_price.minor() > 0 && refund.unit_price.currency() == bought.unit_price.currency();
    const RowKey row = order_row(orders_[lines_[i].order], bought);
    add(refund.at, row, Column::kRefundedPieces, pieces);
    add(refund.at, row, Column::kRefundedMinor, times(priced ? refund.unit_price : bought.unit_price, pieces));
    // In whole units of what is left, so that all pieces together give back exactly the line's discount.
    Line& line = lines_[i];
    const auto given_back = [&](std::int64_t returned) {
      return base::multiply_divide(line.discount_minor, returned, bought.quantity, base::Rounding::kDown).value_or(0);
    };
    add(refund.at, line.discount_row, Column::kRefundedDiscountMinor, given_back(line.returned + pieces) - given_back(line.returned));
    line.returned += pieces;
  }

  void book_expiry(const Held& held) {
    const Promise& p = *held.promise;
    if (p.face_minor > 0 && !held.used && p.valid_until < options_.as_of) {
      add(p.valid_until, held.key, Column::kExpired, 1);
      add(p.valid_until, held.key, Column::kExpiredFaceMinor, p.face_minor);
      add(p.valid_until, held.key, Column::kEndedExpectedMicro, p.expected_micro);
    }
  }

  std::span<const Event> window_;
  const BooksOptions& options_;
  Books& books_;
  std::vector<Held> held_;
  std::vector<Line> lines_;  ///< one for each event, used for purchases
  std::vector<Order> orders_;
  std::map<std::string, std::size_t> order_places_;
};

}  // namespace

void add_person(std::span<const Event> window, std::span<const Promise> promises, const BooksOptions& options, Books& books) {
  Person(window, promises, options, books).book();
}

}  // namespace beckon::measure
