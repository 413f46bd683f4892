#include <algorithm>
#include <charconv>

#include "beckon/base/codec.h"
#include "beckon/base/csv.h"
#include "beckon/base/toml.h"
#include "beckon/catalog/item.h"

namespace beckon::catalog {
namespace {

// Google's attribute names and the usual words of shop exports → our roles.
const std::map<std::string, std::string>& known_columns() {
  static const std::map<std::string, std::string> kColumns{
      {"id", "id"}, {"item_id", "id"}, {"sku", "id"}, {"title", "title"}, {"name", "title"}, {"description", "description"},
      {"product_type", "category"}, {"google_product_category", "category"}, {"category", "category"}, {"brand", "brand"},
      {"price", "price"}, {"sale_price", "sale_price"}, {"cost_of_goods_sold", "cost"}, {"cost", "cost"}, {"stock", "stock"},
      {"quantity", "stock"}, {"sell_on_google_quantity", "stock"}, {"availability", "availability"},
      {"image_link", "image_link"}, {"link", "link"}, {"market", "market"}};
  return kColumns;
}

std::string role_of(const std::string& column, const FeedOptions& options) {
  for (const auto& [role, mapped] : options.columns) {
    if (mapped == column) {
      return role;
    }
  }
  if (!options.columns.empty()) {
    return {};  // a mapping names everything that is wanted
  }
  const auto found = known_columns().find(column);
  return found != known_columns().end() ? found->second : column.starts_with("title_") ? column : std::string();
}

std::string text_or_empty(const std::map<std::string, std::string>& fields, const std::string& role) {
  const auto found = fields.find(role);
  return found == fields.end() ? std::string() : found->second;
}

// "12.99 EUR" or "EUR 12.99" or "12.99".
base::Result<base::Money> parse_price(std::string_view text, base::Currency currency) {
  text = base::trimmed(text);
  const auto blank = text.rfind(' ');
  if (blank != std::string_view::npos) {
    const bool code_first = text[0] >= 'A' && text[0] <= 'Z';
    const auto code = code_first ? text.substr(0, text.find(' ')) : text.substr(blank + 1);
    BECKON_TRY(currency, base::Currency::parse(code));
    text = base::trimmed(code_first ? text.substr(text.find(' ')) : text.substr(0, blank));
  }
  if (currency.empty()) {
    return base::invalid_argument("currency/missing");
  }
  return base::Money::parse(text, currency);
}

// A reject travels as "field/reason" in the message of an Error.
base::Error bad(const std::string& field, const std::string& reason) { return base::invalid_argument(field + "/" + reason); }

base::Status read_price(const std::map<std::string, std::string>& fields, const std::string& role,
                        std::pair<base::Currency, std::optional<base::Money>*> io) {
  const std::string text = text_or_empty(fields, role);
  if (text.empty()) {
    return base::ok_status();
  }
  const auto money = parse_price(text, io.first);
  if (!money.ok()) {
    return bad(role, money.error().message == "currency/missing" ? "currency_missing" : "not_an_amount");
  }
  if (money->is_negative()) {
    return bad(role, "negative");
  }
  *io.second = *money;
  return base::ok_status();
}

// Header → roles by position; error when there is no id column.
base::Result<std::vector<std::string>> roles_of(const std::vector<std::string>& header, const FeedOptions& options) {
  std::vector<std::string> roles;
  for (const auto& column : header) {
    roles.push_back(role_of(column, options));
  }
  for (const auto& [role, column] : options.columns) {
    if (std::find(header.begin(), header.end(), column) == header.end()) {
      const std::string near = base::nearest_word(column, header);
      return base::invalid_argument("the mapping names a column '" + column + "' for " + role + ", which the file does not have" +
                                    (near.empty() ? "" : ": did you mean '" + near + "'?"));
    }
  }
  if (std::find(roles.begin(), roles.end(), "id") == roles.end()) {
    return base::invalid_argument("the file has no column for the item id: name it in [catalog.columns] id = \"…\"");
  }
  return roles;
}

bool later_than(const std::map<std::string, std::string>& fields, const FeedOptions& options) {
  const auto found = fields.find("time");
  if (found == fields.end()) {
    return false;
  }
  const auto at = base::parse_time(found->second, options.zone);
  return at.ok() && *at > options.as_of;
}

// An id that comes again: the later row counts where it says something. Order files repeat an item on every line, some of them without a
// price and with a warehouse note for a title.
void merge(Item item, Feed& feed, std::map<std::pair<std::string, std::string>, std::size_t>& index) {
  const auto [found, added] = index.try_emplace({item.market, item.id.str()}, feed.items.size());
  if (added) {
    feed.items.push_back(std::move(item));
    return;
  }
  Item& known = feed.items[found->second];
  if (item.price.is_zero() && !known.price.is_zero()) {
    return;
  }
  for (const auto& [language, title] : known.title) {
    item.title.try_emplace(language, title);
  }
  known = std::move(item);
}

// Cuts the text into records; a quoted field may hold line ends.
template <class Visit>
void each_record(std::string_view bytes, char delimiter, const Visit& visit) {
  std::int64_t line = 1;
  std::size_t start = 0;
  base::OpenQuote quote(delimiter);
  std::int64_t record_line = 1;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    if (i == bytes.size() || (bytes[i] == '\n' && !quote.open())) {
      if (i > start) {
        visit(record_line, bytes.substr(start, i - start));
      }
      start = i + 1;
      record_line = line + 1;
      quote = base::OpenQuote(delimiter);
    } else {
      quote.see(bytes[i]);
    }
    line += i < bytes.size() && bytes[i] == '\n' ? 1 : 0;
  }
}

}  // namespace

base::Result<Item> item_from_fields(const std::map<std::string, std::string>& fields, const FeedOptions& options) {
  Item item;
  item.id = base::ItemId(text_or_empty(fields, "id"));
  if (item.id.empty()) {
    return bad("id", "missing");
  }
  for (const auto& [role, text] : fields) {
    if (!base::is_utf8(text)) {
      return bad(role, "not_utf8");
    }
    if (role == "title" && !text.empty()) {
      item.title[options.language] = text;
    } else if (role.starts_with("title_") && !text.empty()) {
      item.title[role.substr(6)] = text;
    }
  }
  item.description = text_or_empty(fields, "description");
  item.category = text_or_empty(fields, "category");
  item.brand = text_or_empty(fields, "brand");
  item.image_link = text_or_empty(fields, "image_link");
  item.link = text_or_empty(fields, "link");
  item.market = text_or_empty(fields, "market");
  std::optional<base::Money> price;
  BECKON_TRY_STATUS(read_price(fields, "price", {options.currency, &price}));
  BECKON_TRY_STATUS(read_price(fields, "sale_price", {options.currency, &item.sale_price}));
  BECKON_TRY_STATUS(read_price(fields, "cost", {options.currency, &item.cost}));
  item.price = price.value_or(base::Money());
  for (const auto& other : {item.sale_price, item.cost}) {
    if (other.has_value() && price.has_value() && other->currency() != price->currency()) {
      return bad("price", "mixed_currencies");
    }
  }
  if (const std::string stock = text_or_empty(fields, "stock"); !stock.empty()) {
    std::int64_t pieces = 0;
    const auto [end, error] = std::from_chars(stock.data(), stock.data() + stock.size(), pieces);
    if (error != std::errc() || end != stock.data() + stock.size() || pieces < 0) {
      return bad("stock", "not_a_count");
    }
    item.stock = pieces;
  } else if (text_or_empty(fields, "availability").starts_with("out")) {
    item.stock = 0;
  }
  return item;
}

base::Result<Feed> parse_feed(std::string_view bytes, const FeedOptions& options) {
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    bytes.remove_prefix(3);
  }
  if (base::trimmed(bytes).starts_with("<")) {
    return parse_feed_xml(bytes, options);
  }
  const char delimiter = bytes.substr(0, bytes.find('\n')).find('\t') != std::string_view::npos ? '\t' : ',';
  Feed feed;
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  std::vector<std::string> roles;
  base::Status problem = base::ok_status();
  each_record(bytes, delimiter, [&](std::int64_t line, std::string_view text) {
    if (!problem.ok() || base::trimmed(text).empty()) {
      return;
    }
    base::CsvRecord record = base::split_csv(text, delimiter);
    for (auto& field : record.fields) {
      field = std::string(base::trimmed(field));
    }
    if (roles.empty()) {
      auto found = roles_of(record.fields, options);
      problem = found.ok() ? base::ok_status() : base::Status(found.error());
      roles = found.value_or({});
      return;
    }
    if (record.fields.size() != roles.size() || !record.complete) {
      ++feed.rows;
      feed.rejects.push_back({line, "", record.complete ? "wrong_column_count" : "open_quote"});
      return;
    }
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i < roles.size(); ++i) {
      if (!roles[i].empty() && !record.fields[i].empty()) {
        fields[roles[i]] = record.fields[i];
      }
    }
    ++feed.rows;
    if (later_than(fields, options)) {
      return;
    }
    auto item = item_from_fields(fields, options);
    if (item.ok()) {
      merge(std::move(item).value(), feed, index);
    } else {
      const std::string& message = item.error().message;
      feed.rejects.push_back({line, message.substr(0, message.find('/')), message.substr(message.find('/') + 1)});
    }
  });
  BECKON_TRY_STATUS(problem);
  if (roles.empty()) {
    return base::invalid_argument("the file is empty: it needs a header line with the column names");
  }
  return feed;
}

std::string write_feed(const std::vector<Item>& items, const std::string& language) {
  std::vector<std::string> languages;
  for (const auto& item : items) {
    for (const auto& [name, title] : item.title) {
      if (name != language && std::find(languages.begin(), languages.end(), name) == languages.end()) {
        languages.push_back(name);
      }
    }
  }
  std::sort(languages.begin(), languages.end());
  std::vector<std::string> header{"id", "title", "description", "product_type", "brand", "price", "sale_price",
                                  "cost_of_goods_sold", "stock", "image_link", "link", "market"};
  for (const auto& name : languages) {
    header.push_back("title_" + name);
  }
  const auto amount = [](const std::optional<base::Money>& money) {
    return money.has_value() && !money->currency().empty() ? money->to_string() : std::string();
  };
  std::string out = base::csv_line(header, '\t');
  for (const auto& item : items) {
    const auto own = item.title.find(language);
    std::vector<std::string> row{item.id.str(), own == item.title.end() ? "" : own->second, item.description, item.category,
                                 item.brand, amount(item.price), amount(item.sale_price), amount(item.cost),
                                 item.stock.has_value() ? std::to_string(*item.stock) : "", item.image_link, item.link,
                                 item.market};
    for (const auto& name : languages) {
      const auto found = item.title.find(name);
      row.push_back(found == item.title.end() ? "" : found->second);
    }
    out += base::csv_line(row, '\t');
  }
  return out;
}

}  // namespace beckon::catalog
