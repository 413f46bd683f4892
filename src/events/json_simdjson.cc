// The only user of simdjson.
#include <simdjson.h>

#include <cmath>

#include "beckon/base/codec.h"
#include "beckon/events/parse.h"
#include "discount.h"

namespace beckon::events {
namespace {

namespace dom = simdjson::dom;
constexpr std::int64_t kFutureSlackMs = base::kDayMs;
constexpr std::int64_t kEarliestMs = 315'532'800'000;  // 1980-01-01: earlier is a broken clock

// Text of a member, numbers as text too (ids are often numeric); empty when absent.
std::string text_of(const dom::element& object, std::string_view key) {
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS) {
    return {};
  }
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  return value.is_number() ? simdjson::minify(value) : std::string();
}

std::string first_text(const dom::element& object, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (auto text = text_of(object, key); !text.empty()) {
      return text;
    }
  }
  return {};
}

// A member that is an object, else an empty object.
dom::element member(const dom::element& object, std::string_view key) {
  static dom::parser parser;
  static const dom::element kEmpty = parser.parse(std::string("{}")).value();
  dom::element value;
  return object[key].get(value) == simdjson::SUCCESS && value.is_object() ? value : kEmpty;
}

using Maybe = std::optional<Reject>;

Maybe check_time(base::Instant at, const char* field, const ParseOptions& options) {
  if (at.ms > options.now.ms + kFutureSlackMs) {
    return Reject{field, "in_the_future"};
  }
  return at.ms < kEarliestMs ? Maybe(Reject{field, "too_old"}) : std::nullopt;
}

Maybe read_time(const std::string& text, const char* field, std::pair<const ParseOptions*, base::Instant*> io) {
  const auto at = base::parse_time(text, io.first->zone);
  if (!at.ok()) {
    return Reject{field, "not_a_time"};
  }
  *io.second = *at;
  return check_time(*at, field, *io.first);
}

// Time of a Segment line. A device whose clock is wrong by years is set right by the rule of the spec,
// timestamp = receivedAt - (sentAt - originalTimestamp), where both are there; only then is the time judged.
Maybe read_segment_time(const dom::element& line, const ParseOptions& options, RawEvent& out) {
  out.at = options.now;
  const std::string original = first_text(line, {"originalTimestamp", "timestamp"});
  if (original.empty()) {
    return std::nullopt;
  }
  const auto at = base::parse_time(original, options.zone);
  if (!at.ok()) {
    return Reject{"timestamp", "not_a_time"};
  }
  out.at = *at;
  const auto sent = base::parse_time(text_of(line, "sentAt"), options.zone);
  base::Instant received;
  if (sent.ok() && !read_time(text_of(line, "receivedAt"), "receivedAt", {&options, &received})) {
    out.at = {received.ms - (sent->ms - at->ms)};
    out.clock_corrected = out.at != *at;
  }
  return check_time(out.at, "timestamp", options);
}

Maybe read_item(const dom::element& object, const std::pair<base::Currency, bool>& currency_and_required, RawEvent& out) {
  LineItem line;
  line.item = first_text(object, {"product_id", "item_id", "sku", "id"});
  if (line.item.empty()) {
    return currency_and_required.second ? Maybe(Reject{"product_id", "missing"}) : std::nullopt;
  }
  if (const std::string quantity = text_of(object, "quantity"); !quantity.empty()) {
    char* end = nullptr;
    const double value = std::strtod(quantity.c_str(), &end);
    if (*end != '\0' || !(value >= 1) || value > 1e6 || value != std::floor(value)) {
      return Reject{"quantity", "impossible_value"};
    }
    line.quantity = static_cast<std::int64_t>(value);
  }
  base::Currency currency = currency_and_required.first;
  if (const std::string code = text_of(object, "currency"); !code.empty()) {
    const auto known = base::Currency::parse(code);
    if (!known.ok()) {
      return Reject{"currency", "unknown_currency"};
    }
    currency = *known;
  }
  if (const std::string amount = text_of(object, "price"); !amount.empty()) {
    if (currency.empty()) {
      return Reject{"currency", "missing"};
    }
    const auto money = base::Money::parse(amount, currency);
    if (!money.ok() || money->is_negative()) {
      return Reject{"price", "impossible_value"};
    }
    line.unit_price = *money;
  }
  line.coupon = first_text(object, {"coupon", "coupon_id"});
  out.items.push_back(std::move(line));
  return std::nullopt;
}

// In a list of products a discount is that of one piece (GA4: "the unit monetary discount value").
Maybe read_piece_discount(const dom::element& object, const base::Currency& currency, LineItem& line) {
  const base::Currency& own = line.unit_price.currency();
  std::optional<std::int64_t> piece_minor;
  if (auto reject = read_discount(text_of(object, "discount"), own.empty() ? currency : own, piece_minor)) {
    return reject;
  }
  if (piece_minor.has_value()) {
    const auto line_minor = base::multiply_divide(*piece_minor, line.quantity, 1, base::Rounding::kHalfEven);
    if (!line_minor.ok()) {
      return Reject{"discount", "impossible_value"};
    }
    line.discount_minor = *line_minor;
  }
  return std::nullopt;
}

bool needs_item(EventType type) {
  return type == EventType::kView || type == EventType::kCart || type == EventType::kUncart ||
         type == EventType::kPurchase || type == EventType::kWishlist;
}

// Items of Segment's properties or GA4's params: a list under "products" or "items", else the object itself.
Maybe read_items(const dom::element& properties, const ParseOptions& options, RawEvent& out) {
  base::Currency currency = options.currency;
  if (const std::string code = text_of(properties, "currency"); !code.empty()) {
    const auto known = base::Currency::parse(code);
    if (!known.ok()) {
      return Reject{"currency", "unknown_currency"};
    }
    currency = *known;
  }
  const bool orders = out.type == EventType::kPurchase || out.type == EventType::kRefund;  // elsewhere the word means anything
  for (const char* key : {"products", "items"}) {
    dom::array list;
    if (properties[key].get(list) == simdjson::SUCCESS) {
      for (const dom::element entry : list) {
        if (auto reject = read_item(entry, {currency, true}, out)) {
          return reject;
        }
        if (auto reject = orders ? read_piece_discount(entry, currency, out.items.back()) : std::nullopt) {
          return reject;
        }
      }
    }
  }
  if (out.items.empty()) {
    if (auto reject = read_item(properties, {currency, needs_item(out.type)}, out)) {
      return reject;
    }
  }
  std::optional<std::int64_t> total_minor;
  if (!orders) {
    return std::nullopt;
  }
  if (auto reject = read_discount(text_of(properties, "discount"), currency, total_minor)) {
    return reject;
  }
  return total_minor.has_value() ? share_discount(*total_minor, currency, out.items) : std::nullopt;
}

// "Consent Granted" grants; "Consent Updated" only where it says so itself; anything else takes consent away.
bool grants_consent(const std::string& name, const dom::element& properties) {
  bool said = false;
  const bool updated = properties["granted"].get(said) == simdjson::SUCCESS && said;
  return updated || name.ends_with("ranted") || name.ends_with("RANTED");
}

void read_consents(const dom::element& properties, bool granted, RawEvent& out) {
  std::vector<std::string> purposes;
  std::vector<std::string> channels;
  const auto collect = [&](const char* key, std::vector<std::string>& into) {
    dom::array list;
    if (properties[key].get(list) == simdjson::SUCCESS) {
      for (const dom::element entry : list) {
        std::string_view text;
        if (entry.get(text) == simdjson::SUCCESS) {
          into.emplace_back(text);
        }
      }
    }
  };
  collect("purposes", purposes);
  collect("channels", channels);
  if (purposes.empty()) {
    purposes.emplace_back("marketing");
  }
  if (channels.empty()) {
    const std::string one = text_of(properties, "channel");
    // A grant without a channel covers none; a withdrawal without a channel covers all: the strictest reading wins.
    channels = !one.empty() ? std::vector<std::string>{one} : granted ? std::vector<std::string>{} : std::vector<std::string>{"*"};
  }
  for (const auto& purpose : purposes) {
    const auto known = privacy::parse_purpose(purpose);
    for (const auto& channel : channels) {
      if (known.ok()) {
        out.consents.push_back({*known, channel, granted, out.at, "opt_in", "event"});
      }
    }
  }
}

void read_traits(const dom::element& traits, RawEvent& out) {
  dom::object object;
  if (traits.get(object) != simdjson::SUCCESS) {
    return;
  }
  for (const auto field : object) {
    std::string_view text;
    if (field.value.get(text) == simdjson::SUCCESS && text.size() <= 1024) {
      out.traits.emplace_back(std::string(field.key), PersonalText(std::string(text)));
    }
  }
}

// Type, items, campaign context and consents: the same for all three forms once the parts are found.
Maybe fill(std::pair<std::string, dom::element> name_and_properties, const ParseOptions& options, RawEvent& out) {
  const auto& [name, properties] = name_and_properties;
  out.type = event_type_of(name).value_or(EventType::kOther);
  out.order_id = PersonalText(first_text(properties, {"order_id", "transaction_id", "orderId"}));
  out.coupon = first_text(properties, {"coupon", "coupon_id"});
  out.delivery = first_text(properties, {"delivery_id"});
  if (out.channel.empty()) {
    out.channel = first_text(properties, {"channel"});
  }
  out.market = first_text(properties, {"market"});
  if (out.type == EventType::kUnsubscribe) {
    read_consents(properties, false, out);
  } else if (out.type == EventType::kConsent) {
    read_consents(properties, grants_consent(name, properties), out);
  }
  return read_items(properties, options, out);
}

Parsed parse_segment(const dom::element& line, const ParseOptions& options) {
  RawEvent out;
  out.user_id = PersonalText(first_text(line, {"userId", "user_id"}));
  out.anonymous_id = PersonalText(first_text(line, {"anonymousId", "anonymous_id"}));
  out.previous_id = PersonalText(first_text(line, {"previousId"}));
  out.message_id = first_text(line, {"messageId", "message_id"});
  const auto context = member(line, "context");
  out.channel = text_of(context, "channel");
  out.campaign = text_of(member(context, "campaign"), "name");
  if (out.user_id.open().empty() && out.anonymous_id.open().empty()) {
    return Reject{"userId", "missing"};
  }
  if (auto reject = read_segment_time(line, options, out)) {
    return *reject;
  }
  const std::string kind = text_of(line, "type");
  const std::string name = kind == "track" ? text_of(line, "event") : kind;
  if (name.empty()) {
    return Reject{"event", "missing"};
  }
  const bool identify = kind == "identify";
  if (auto reject = fill({name, member(line, "properties")}, options, out)) {
    return *reject;
  }
  if (identify) {
    read_traits(member(line, "traits"), out);
  }
  if (out.channel.empty()) {
    out.channel = options.channel;
  }
  return out;
}

Parsed parse_ga4_event(const dom::element& event, const dom::element& owner, const ParseOptions& options) {
  RawEvent out;
  out.user_id = PersonalText(text_of(owner, "user_id"));
  out.anonymous_id = PersonalText(first_text(owner, {"client_id", "user_pseudo_id"}));
  if (out.user_id.open().empty() && out.anonymous_id.open().empty()) {
    return Reject{"user_id", "missing"};
  }
  out.at = options.now;
  std::string micros = first_text(event, {"timestamp_micros", "event_timestamp"});
  if (micros.empty()) {
    micros = text_of(owner, "timestamp_micros");
  }
  if (!micros.empty()) {
    char* end = nullptr;
    const long long value = std::strtoll(micros.c_str(), &end, 10);
    if (*end != '\0' || value / 1000 < kEarliestMs) {
      return Reject{"timestamp_micros", "not_a_time"};
    }
    out.at.ms = value / 1000;
    if (out.at.ms > options.now.ms + kFutureSlackMs) {
      return Reject{"timestamp_micros", "in_the_future"};
    }
  }
  const std::string name = first_text(event, {"name", "event_name"});
  if (name.empty()) {
    return Reject{"name", "missing"};
  }
  dom::element params;
  const bool has_params = event["params"].get(params) == simdjson::SUCCESS && params.is_object();
  if (auto reject = fill({name, has_params ? params : event}, options, out)) {
    return *reject;
  }
  if (out.channel.empty()) {
    out.channel = options.channel;
  }
  return out;
}

Parsed parse_cloud_event(const dom::element& line, const ParseOptions& options) {
  const dom::element data = member(line, "data");
  RawEvent out;
  out.user_id = PersonalText(first_text(data, {"userId", "user_id"}));
  if (out.user_id.open().empty()) {
    out.user_id = PersonalText(text_of(line, "subject"));
  }
  out.anonymous_id = PersonalText(first_text(data, {"anonymousId", "anonymous_id"}));
  if (out.user_id.open().empty() && out.anonymous_id.open().empty()) {
    return Reject{"subject", "missing"};
  }
  const std::string id = text_of(line, "id");
  const std::string source = text_of(line, "source");
  if (id.empty() || source.empty()) {
    return Reject{id.empty() ? "id" : "source", "missing"};
  }
  out.message_id = source + "\n" + id;  // (source, id) identifies a CloudEvent
  out.at = options.now;
  if (const std::string time = text_of(line, "time"); !time.empty()) {
    if (auto reject = read_time(time, "time", {&options, &out.at})) {
      return *reject;
    }
  }
  const std::string type = text_of(line, "type");
  const std::string name = type.substr(type.rfind('.') + 1);  // npos + 1 == 0: the whole text
  if (auto reject = fill({name, data}, options, out)) {
    return *reject;
  }
  read_traits(member(data, "traits"), out);
  if (out.channel.empty()) {
    out.channel = options.channel;
  }
  return out;
}

}  // namespace

struct JsonLineParser::State {
  ParseOptions options;
  dom::parser parser;
};

JsonLineParser::JsonLineParser(ParseOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}
JsonLineParser::~JsonLineParser() = default;
JsonLineParser::JsonLineParser(JsonLineParser&&) noexcept = default;
JsonLineParser& JsonLineParser::operator=(JsonLineParser&&) noexcept = default;

std::vector<Parsed> JsonLineParser::parse(std::string_view line) {
  std::vector<Parsed> out;
  dom::element root;
  if (state_->parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    out.emplace_back(Reject{"", base::is_utf8(line) ? "not_json" : "not_utf8"});
    return out;
  }
  dom::element found;
  if (root["specversion"].get(found) == simdjson::SUCCESS) {
    out.push_back(parse_cloud_event(root, state_->options));
    return out;
  }
  dom::array events;
  if (root["events"].get(events) == simdjson::SUCCESS) {
    for (const dom::element event : events) {
      out.push_back(parse_ga4_event(event, root, state_->options));
    }
    if (out.empty()) {
      out.emplace_back(Reject{"events", "empty"});
    }
    return out;
  }
  if (root["event_name"].get(found) == simdjson::SUCCESS) {
    out.push_back(parse_ga4_event(root, root, state_->options));
    return out;
  }
  if (root["type"].get(found) == simdjson::SUCCESS) {
    out.push_back(parse_segment(root, state_->options));
    return out;
  }
  out.emplace_back(Reject{"type", "unknown_form"});
  return out;
}

}  // namespace beckon::events
