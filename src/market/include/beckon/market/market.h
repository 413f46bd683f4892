#pragma once
// A simulated shop with known truth: what customers do, what a promotion changes, and what it would have been without. For tests,
// demonstrations and comparisons of strategies; nothing in a production path may call it.
//
// Deterministic: everything follows from MarketOptions. Each customer's randomness depends on the seed, the customer and the day
// alone, so what an untreated customer does has the same bits whatever others receive (common random numbers).
// All methods are const and thread-safe. Amounts are minor units of options.currency. Instants are UTC milliseconds.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/executor.h"
#include "beckon/base/money.h"
#include "beckon/base/result.h"

namespace beckon::market {

struct MarketOptions {
  std::uint64_t seed = 1;
  std::int64_t customers = 2000;
  std::int64_t items = 300;
  std::int64_t categories = 12;
  std::string currency = "EUR";
  base::Instant start{1'767'225'600'000};  ///< 2026-01-01T00:00:00Z: the shop opens, nobody has a past
  std::int64_t history_days = 180;         ///< how far respond() may look ahead of `start` is this plus 365
  double effect_scale = 1.0;               ///< 0: promotions change nothing (they still cost what their coupons cost)
  double consent_share = 0.85;
  double chinese_share = 0.3;              ///< customers with language zh, the others en
  base::Executor* executor = nullptr;      ///< null: in this thread; outlives the market
};

struct Item {
  std::string id;  ///< "item-0042"
  std::string title_en;
  std::string title_zh;
  std::string category;  ///< "Home > Kitchen"
  std::string brand;
  std::int32_t category_index = 0;
  std::int64_t price_minor = 0;
  std::int64_t cost_minor = 0;
  std::int64_t stock = 0;
};

/// What a shop may know of a customer.
struct Person {
  std::string id;     ///< "user-000123"
  std::string email;  ///< under example.test
  std::string phone;
  std::string language;
  std::string zone;
  std::string country;
  bool consented = false;
  std::vector<std::string> channels;  ///< consented for: "email", "push", "sms"
};

/// What a shop does not know. Sure things buy anyway, sleeping dogs buy less when disturbed.
enum class Nature { kSureThing, kPersuadable, kLostCause, kSleepingDog };

enum class EventKind { kView, kCart, kPurchase, kDelivered, kOpened, kClicked, kUnsubscribed };

struct Event {
  base::Instant at;
  EventKind kind = EventKind::kView;
  std::int64_t customer = 0;
  std::int64_t item = -1;            ///< of a message: the item it advertised
  std::int64_t quantity = 1;
  std::int64_t unit_price_minor = 0; ///< paid, after the coupon
  std::string order = {};            ///< purchases: one line each, lines of an order share it
  std::string channel = {};          ///< "web", "app", "store"; of a message: "email", "push", "sms"
  std::string coupon = {};
  std::string campaign = {};
  std::string delivery = {};         ///< messages only: a shop cannot see which message caused a purchase
  friend bool operator==(const Event&, const Event&) = default;
};

/// One message to one customer.
struct Treatment {
  std::int64_t customer = 0;
  std::int64_t item = 0;
  std::int64_t discount_bp = 0;  ///< basis points off the item's price for seven days, 0 – 9,000
  std::string channel = "email";
  base::Instant at;
  std::string delivery;
  std::string campaign = {};
  std::string coupon = {};
};

/// Expected difference that one message makes within seven days.
struct Effect {
  double purchases = 0;
  double margin_minor = 0;  ///< price paid minus cost, over all purchases of the customer
};

struct World;

class Market {
 public:
  /// invalid_argument for options out of range or an unknown currency.
  static base::Result<Market> make(const MarketOptions& options);

  const MarketOptions& options() const;
  const std::vector<Item>& items() const;
  const std::vector<Person>& people() const;
  base::Instant history_end() const;

  /// Events with from <= at < to of a shop that sends nothing, by (time, customer).
  std::vector<Event> history(base::Instant from, base::Instant to) const;
  /// Events of a shop that sends these messages, in the same order. Pass all messages that matter, also earlier ones: a customer
  /// grows tired of many within two weeks, and one who unsubscribed gets nothing more on that channel. Purchases that a message
  /// caused have no consequences of their own (no repeat purchases). Messages later than `to` do nothing.
  std::vector<Event> respond(std::span<const Treatment> treatments, base::Instant from, base::Instant to) const;

  /// What sending this one message changes on average, given what happened before its day: `paths` futures are played with and
  /// without it. No other message is assumed.
  Effect true_effect(const Treatment& treatment, int paths = 200) const;
  Nature nature(std::int64_t customer) const;

  /// id,title_en,title_zh,category,brand,price,cost,stock,link,image_link with a header line (RFC 4180).
  std::string catalog_csv() const;
  /// One line of the Segment spec, without line end; messageId is a function of the event.
  std::string to_segment_json(const Event& event) const;
  std::string identify_json(std::int64_t customer) const;
  /// "Consent Granted" at the shop's start, or empty for a customer who did not consent.
  std::string consent_json(std::int64_t customer) const;

 private:
  explicit Market(std::shared_ptr<const World> world) : world_(std::move(world)) {}
  std::shared_ptr<const World> world_;
};

}  // namespace beckon::market
