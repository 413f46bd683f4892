#pragma once
// Bytes of the outside world → RawEvent. Never throws, never crashes, whatever the bytes (fuzz/fuzz_events.cc).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "beckon/events/events.h"

namespace beckon::events {

using PersonalText = privacy::Personal<std::string>;

struct LineItem {
  std::string item;
  std::int64_t quantity = 1;
  base::Money unit_price;
  std::optional<std::int64_t> discount_minor = {};  ///< of all its pieces, with its share of what the order says as a whole
  std::string coupon = {};                          ///< its own; empty: the order's
};

/// What one line says, before its customer has a pseudonym. Lives in memory only.
struct RawEvent {
  PersonalText user_id;
  PersonalText anonymous_id;
  PersonalText previous_id;             ///< alias: the id that joins user_id
  std::string message_id;               ///< empty: the format has none
  base::Instant at;
  EventType type = EventType::kOther;
  std::vector<LineItem> items;          ///< at least one for view, cart, purchase, refund
  PersonalText order_id;
  std::string channel;
  std::string market;
  std::string campaign;
  std::string delivery;
  std::string coupon;
  bool clock_corrected = false;
  std::vector<std::pair<std::string, PersonalText>> traits;  ///< email, phone, language, timezone, country, …
  std::vector<privacy::ConsentRecord> consents;
};

/// Why a line was refused. `reason` comes from a short closed list, so that it can be counted; no raw values.
struct Reject {
  std::string field;
  std::string reason;
};

using Parsed = std::variant<RawEvent, Reject>;

struct ParseOptions {
  base::Zone zone = base::Zone::utc();  ///< of times without offset
  base::Currency currency;              ///< of prices without currency; empty: such a price is refused
  base::Instant now;                    ///< events later than now + 1 day are refused; lines without a time get it
  std::string channel = "web";
};

/// One JSON line in the Segment spec, GA4 (export or Measurement Protocol event) or CloudEvents 1.0 form, detected per line.
/// Not thread-safe: one parser per thread (it owns the simdjson buffers).
class JsonLineParser {
 public:
  explicit JsonLineParser(ParseOptions options);
  ~JsonLineParser();
  JsonLineParser(JsonLineParser&&) noexcept;
  JsonLineParser& operator=(JsonLineParser&&) noexcept;
  /// A GA4 line may hold several events; the other forms hold one.
  std::vector<Parsed> parse(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// [events.csv] of beckon.toml: which column is what. An empty name means the file has no such column.
struct CsvMapping {
  std::string user_id, anonymous_id, message_id, time, event, item, quantity, price, currency, order_id,
      channel, market, coupon, campaign;
  std::string discount;  ///< of the whole line; "-1.50" and "1.50" mean the same
  /// Value of the event column → type; names that are not listed are looked up by event_type_of.
  std::map<std::string, EventType> event_types;
  std::string default_event = "purchase";  ///< of every line when there is no event column
  /// An order id that starts with this is a cancellation (its quantity counts positive).
  std::string cancel_prefix;
  bool negative_quantity_is_refund = true;
  /// Price column holds the whole line, not one piece.
  bool price_is_line_total = false;
  std::map<std::string, std::string> trait_columns;  ///< trait → column, e.g. country → Country
  char delimiter = ',';
};

/// Column positions found in a header; refuses a mapping to a column that is not there (names the nearest one).
class CsvParser {
 public:
  static base::Result<CsvParser> make(const CsvMapping& mapping, std::string_view header, ParseOptions options);
  Parsed parse(std::string_view record) const;

 private:
  std::string field(const std::vector<std::string>& fields, const std::string& role) const;
  std::optional<Reject> read_head(const std::vector<std::string>& fields, RawEvent& out) const;
  std::optional<Reject> read_line(const std::vector<std::string>& fields, bool cancelled, RawEvent& out) const;
  CsvMapping mapping_;
  ParseOptions options_;
  std::map<std::string, std::size_t> columns_;  // mapped role → position
  std::size_t column_count_ = 0;
};

/// "Order Completed", "order_completed", "purchase" … → type; nullopt for names we do not know.
std::optional<EventType> event_type_of(std::string_view name);

}  // namespace beckon::events
