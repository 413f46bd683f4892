#pragma once
// Timelines → what models eat. Training and serving use the same functions: no skew. Everything takes `as_of` and cannot see later.
//
//   features.h  Dataset: cleaned, tokenised histories of all customers
//   sequence.h  histories → model::Sequence, with targets and labels
//   item_facts.h, usual_price.h  what a step says about its item beside its name
//   item_text.h, item_vectors.h  vectors of items from their texts
//   options.h   [model] keys that choose among these
//   floors.h    the opponents that a model has to beat: popularity, own history, Markov chain
//   chain.h     the Markov chain by itself

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/events/events.h"
#include "beckon/features/item_facts.h"
#include "beckon/features/usual_price.h"
#include "beckon/store/people.h"

namespace beckon::features {

/// Item id ↔ token. Token 0 is every item outside. Ordered by frequency, ties by id, so that the same data gives the same tokens.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// `warm`: so many of the items, from the front, are known well enough to learn from; -1: all.
  explicit Vocabulary(std::vector<std::string> items, std::int32_t warm = -1);
  std::int32_t token(const std::string& item) const;
  const std::string& item(std::int32_t token) const { return items_.at(static_cast<std::size_t>(token)); }
  /// Tokens including 0.
  std::int32_t size() const { return static_cast<std::int32_t>(items_.size()); }
  /// Tokens including 0 that a network is trained on; those from here on are new or rare items.
  std::int32_t warm_size() const { return warm_size_; }
  const std::vector<std::string>& items() const { return items_; }

 private:
  std::vector<std::string> items_{std::string()};
  std::int32_t warm_size_ = 1;
  std::unordered_map<std::string, std::int32_t> tokens_;
};

enum class StepType : std::uint8_t { kView = 1, kCart = 2, kWishlist = 3, kPurchase = 4 };
constexpr std::int32_t kStepTypes = 5;

enum class Promotion : std::uint8_t { kUnknown = 0, kUsualPrice = 1, kPromoted = 2 };
constexpr std::int32_t kPromotions = 3;

/// One thing a customer did with an item, 24 bytes.
struct Step {
  std::int64_t at_ms = 0;
  std::int32_t token = 0;
  StepType type = StepType::kView;
  std::uint8_t price_band = 0;   ///< 0: not known; else half octaves of the major unit
  std::uint8_t channel = 0;      ///< 0: other, 1 web, 2 app, 3 store
  Promotion promotion = Promotion::kUnknown;  ///< promoted: below the usual price up to then, or with a coupon or campaign
  ItemCodes codes = {};          ///< of the item, also where its token is 0
};
constexpr std::int32_t kPriceBands = 24;
constexpr std::int32_t kChannels = 4;

/// Where a message was seen: what clicks depend on beside the item.
enum class MessageChannel : std::uint8_t { kOther = 0, kPush = 1, kEmail = 2, kSms = 3, kWechat = 4, kInapp = 5, kWeb = 6, kStore = 7 };
constexpr std::int32_t kMessageChannels = 8;
MessageChannel message_channel_of(const std::string& channel);

/// One that arrived. Hashes (base::stable_hash) instead of texts: there are many.
struct Message {
  std::int64_t at_ms = 0;
  std::uint64_t delivery_hash = 0;  ///< of the delivery id; 0: the sender gave none
  std::uint64_t item_hash = 0;      ///< of the item it showed, when the event names one
  MessageChannel channel = MessageChannel::kOther;
  std::int64_t clicked_ms = 0;      ///< of the first click by a person; 0: none so far
  /// A click that came later than this is none for a label that is judged by then, or it would be known too early.
  bool clicked_within(std::int64_t horizon_ms) const { return clicked_ms > 0 && clicked_ms <= at_ms + horizon_ms; }
};

struct History {
  privacy::Pseudonym customer;
  std::vector<Step> steps;        ///< by time; purchases that were given back are left out
  std::vector<std::uint64_t> orders;  ///< DatasetOptions::orders: per step the hash of its order, 0 when it has none
  std::vector<Message> messages;  ///< delivered to him
  std::int64_t last_ms = 0;       ///< of any event
  std::int64_t events = 0;
  std::int8_t usual_hour = -1;    ///< UTC hour of most of his events
};

struct DatasetOptions {
  base::Instant as_of;
  std::int64_t items_max = 30'000;
  std::int64_t item_events_min = 2;              ///< rarer items share token 0
  std::vector<std::string> services;             ///< item ids that are no goods: their steps are left out
  bool new_items = false;                        ///< tokens up to items_max also for rarer items and for goods of the shelf without events
  bool orders = false;                           ///< fill History::orders
  bool as_recorded = false;  ///< bot-like customers and purchases that came back stay in: what nobody knew at the time of a split
};

struct Dataset {
  Vocabulary vocabulary;
  ItemWords words;                 ///< of the steps' codes
  std::shared_ptr<const UsualPrices> prices;  ///< of all steps; null without the promotion column
  std::vector<History> histories;
  std::int64_t flagged = 0;        ///< bot-like customers left out
  std::int64_t refunded = 0;       ///< purchases left out because they came back
  std::int64_t steps = 0;
  std::int64_t unknown_items = 0;  ///< steps with token 0
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
};

/// One pass over the store. With a vocabulary (serving) tokens follow it, else it is built from the data; sensitive items have none.
base::Result<Dataset> build_dataset(const store::KeyValue& rows, const ItemFacts& facts, const DatasetOptions& options,
                                    const Vocabulary* vocabulary = nullptr);

/// What a history is read with. `prices` may be null: then only coupons and campaigns make a promotion.
struct Reading {
  const Vocabulary* vocabulary = nullptr;
  const ItemFacts* facts = nullptr;
  const UsualPrices* prices = nullptr;
};
/// The same for one customer's window.
History build_history(const privacy::Pseudonym& customer, std::span<const events::Event> window, const Reading& reading);

std::uint8_t price_band_of(const base::Money& money);

/// Steps closer together than this belong to one moment (a basket, a visit).
constexpr std::int64_t kMomentGapMs = 30 * base::kMinuteMs;
/// Index of the first step after the moment that step `i` belongs to.
std::size_t moment_end(std::span<const Step> steps, std::size_t i);

}  // namespace beckon::features
