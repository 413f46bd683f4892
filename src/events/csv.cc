#include <algorithm>
#include <charconv>

#include "beckon/base/codec.h"
#include "beckon/base/csv.h"
#include "beckon/base/toml.h"
#include "beckon/events/parse.h"
#include "discount.h"

namespace beckon::events {
namespace {

constexpr std::int64_t kQuantityMax = 1'000'000;  // more pieces in one line is a typing error

using base::trimmed;

}  // namespace

base::Result<CsvParser> CsvParser::make(const CsvMapping& mapping, std::string_view header, ParseOptions options) {
  if (header.starts_with("\xEF\xBB\xBF")) {
    header.remove_prefix(3);  // byte-order mark of spreadsheet exports
  }
  std::vector<std::string> names = base::split_csv(header, mapping.delimiter).fields;
  for (auto& name : names) {
    name = std::string(trimmed(name));
  }
  CsvParser parser;
  parser.mapping_ = mapping;
  parser.options_ = std::move(options);
  parser.column_count_ = names.size();
  std::vector<std::pair<std::string, std::string>> wanted = {
      {"user_id", mapping.user_id}, {"anonymous_id", mapping.anonymous_id}, {"message_id", mapping.message_id},
      {"time", mapping.time}, {"event", mapping.event}, {"item", mapping.item}, {"quantity", mapping.quantity},
      {"price", mapping.price}, {"currency", mapping.currency}, {"order_id", mapping.order_id},
      {"channel", mapping.channel}, {"market", mapping.market}, {"coupon", mapping.coupon}, {"campaign", mapping.campaign},
      {"discount", mapping.discount}};
  for (const auto& [trait, column] : mapping.trait_columns) {
    wanted.emplace_back("trait:" + trait, column);
  }
  for (const auto& [role, column] : wanted) {
    if (column.empty()) {
      continue;
    }
    const auto found = std::find(names.begin(), names.end(), column);
    if (found == names.end()) {
      const std::string near = base::nearest_word(column, names);
      return base::invalid_argument("the mapping names a column '" + column + "' for " + role + ", which the file does not have" +
                                    (near.empty() ? "" : ": did you mean '" + near + "'?"));
    }
    parser.columns_[role] = static_cast<std::size_t>(found - names.begin());
  }
  if (!parser.columns_.contains("user_id") || !parser.columns_.contains("time")) {
    return base::invalid_argument("the mapping must name the columns user_id and time");
  }
  return parser;
}

std::string CsvParser::field(const std::vector<std::string>& fields, const std::string& role) const {
  const auto found = columns_.find(role);
  return found == columns_.end() ? std::string() : std::string(trimmed(fields[found->second]));
}

std::optional<Reject> CsvParser::read_line(const std::vector<std::string>& fields, bool cancelled, RawEvent& out) const {
  LineItem line;
  line.item = field(fields, "item");
  if (const std::string quantity = field(fields, "quantity"); !quantity.empty()) {
    const auto [end, error] = std::from_chars(quantity.data(), quantity.data() + quantity.size(), line.quantity);
    if (error != std::errc() || end != quantity.data() + quantity.size() || line.quantity == 0 ||
        line.quantity > kQuantityMax || line.quantity < -kQuantityMax) {
      return Reject{"quantity", "impossible_value"};
    }
  }
  if (line.quantity < 0 && !cancelled && !mapping_.negative_quantity_is_refund) {
    return Reject{"quantity", "impossible_value"};
  }
  if (line.quantity < 0 || cancelled) {
    line.quantity = line.quantity < 0 ? -line.quantity : line.quantity;
    out.type = EventType::kRefund;
  }
  base::Currency currency = options_.currency;
  if (const std::string code = field(fields, "currency"); !code.empty()) {
    const auto known = base::Currency::parse(code);
    if (!known.ok()) {
      return Reject{"currency", "unknown_currency"};
    }
    currency = *known;
  }
  if (const std::string amount = field(fields, "price"); !amount.empty()) {
    if (currency.empty()) {
      return Reject{"currency", "missing"};
    }
    const auto money = base::Money::parse(amount, currency);
    if (!money.ok() || money->is_negative()) {
      return Reject{"price", "impossible_value"};
    }
    const std::int64_t pieces = mapping_.price_is_line_total ? line.quantity : 1;
    const auto per_piece = base::multiply_divide(money->minor(), 1, pieces, base::Rounding::kHalfEven);
    line.unit_price = base::Money(per_piece.value(), currency);
  }
  if (auto reject = read_discount(field(fields, "discount"), currency, line.discount_minor)) {
    return reject;
  }
  const bool needs_item = out.type == EventType::kPurchase || out.type == EventType::kView || out.type == EventType::kCart;
  if (line.item.empty() && needs_item) {
    return Reject{"item", "missing"};
  }
  if (!line.item.empty()) {
    out.items.push_back(std::move(line));
  }
  return std::nullopt;
}

std::optional<Reject> CsvParser::read_head(const std::vector<std::string>& fields, RawEvent& out) const {
  out.user_id = PersonalText(field(fields, "user_id"));
  out.anonymous_id = PersonalText(field(fields, "anonymous_id"));
  if (out.user_id.open().empty() && out.anonymous_id.open().empty()) {
    return Reject{"user_id", "missing"};
  }
  out.message_id = field(fields, "message_id");
  const auto at = base::parse_time(field(fields, "time"), options_.zone);
  if (!at.ok()) {
    return Reject{"time", "not_a_time"};
  }
  if (at->ms > options_.now.ms + base::kDayMs) {
    return Reject{"time", "in_the_future"};
  }
  out.at = *at;
  const std::string event = columns_.contains("event") ? field(fields, "event") : mapping_.default_event;
  const auto mapped = mapping_.event_types.find(event);
  out.type = mapped != mapping_.event_types.end() ? mapped->second : event_type_of(event).value_or(EventType::kOther);
  out.channel = field(fields, "channel");
  if (out.channel.empty()) {
    out.channel = options_.channel;
  }
  out.market = field(fields, "market");
  out.coupon = field(fields, "coupon");
  out.campaign = field(fields, "campaign");
  for (const auto& [trait, column] : mapping_.trait_columns) {
    if (auto value = field(fields, "trait:" + trait); !value.empty()) {
      out.traits.emplace_back(trait, PersonalText(std::move(value)));
    }
  }
  return std::nullopt;
}

Parsed CsvParser::parse(std::string_view record) const {
  if (!base::is_utf8(record)) {
    return Reject{"", "not_utf8"};
  }
  const base::CsvRecord row = base::split_csv(record, mapping_.delimiter);
  if (!row.complete) {
    return Reject{"", "open_quote"};
  }
  if (row.fields.size() != column_count_) {
    return Reject{"", "wrong_column_count"};
  }
  RawEvent out;
  if (auto reject = read_head(row.fields, out)) {
    return *reject;
  }
  std::string order = field(row.fields, "order_id");
  const bool cancelled = !mapping_.cancel_prefix.empty() && order.starts_with(mapping_.cancel_prefix);
  if (auto reject = read_line(row.fields, cancelled, out)) {
    return *reject;
  }
  out.order_id = PersonalText(cancelled ? order.substr(mapping_.cancel_prefix.size()) : order);
  return out;
}

}  // namespace beckon::events
