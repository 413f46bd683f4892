#include "beckon/catalog/item.h"

#include "beckon/base/codec.h"

namespace beckon::catalog {
namespace {

constexpr std::uint8_t kSchemaVersion = 1;

void write_money(base::Writer& out, const std::optional<base::Money>& money) {
  out.u8(money.has_value() ? 1 : 0);
  if (money.has_value()) {
    out.zigzag(money->minor());
    out.text(money->currency().code());
  }
}

base::Result<std::optional<base::Money>> read_money(base::Reader& in) {
  if (in.u8() == 0) {
    return std::optional<base::Money>();
  }
  const std::int64_t minor = in.zigzag();
  const std::string_view code = in.text();
  if (code.empty()) {
    return std::optional<base::Money>(base::Money(minor, base::Currency()));
  }
  BECKON_TRY(const auto currency, base::Currency::parse(code));
  return std::optional<base::Money>(base::Money(minor, currency));
}

}  // namespace

const std::string& Item::title_in(const std::string& language, const std::string& fallback) const {
  for (const auto& wanted : {language, fallback}) {
    if (const auto found = title.find(wanted); found != title.end()) {
      return found->second;
    }
  }
  return title.empty() ? id.str() : title.begin()->second;
}

std::string Item::top_category() const {
  const auto end = category.find(" > ");
  return category.substr(0, end);
}

std::string encode(const Item& item) {
  base::Writer out;
  out.u8(kSchemaVersion);
  out.text(item.id.str());
  out.varint(item.title.size());
  for (const auto& [language, title] : item.title) {
    out.text(language);
    out.text(title);
  }
  for (const auto* text : {&item.description, &item.category, &item.brand, &item.image_link, &item.link, &item.market}) {
    out.text(*text);
  }
  write_money(out, item.price);
  write_money(out, item.sale_price);
  write_money(out, item.cost);
  out.u8(item.stock.has_value() ? 1 : 0);
  out.zigzag(item.stock.value_or(0));
  return base::seal(out.view());
}

base::Result<Item> decode_item(std::string_view bytes) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  base::Reader in(payload);
  if (in.u8() != kSchemaVersion) {
    return base::data_loss("an item was written by a newer beckon: update this one");
  }
  Item item;
  item.id = base::ItemId(std::string(in.text()));
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::string language(in.text());
    item.title[language] = in.text();
  }
  for (auto* text : {&item.description, &item.category, &item.brand, &item.image_link, &item.link, &item.market}) {
    *text = in.text();
  }
  BECKON_TRY(const auto price, read_money(in));
  BECKON_TRY(item.sale_price, read_money(in));
  BECKON_TRY(item.cost, read_money(in));
  const bool counted = in.u8() != 0;
  const std::int64_t stock = in.zigzag();
  if (in.failed() || !in.at_end() || !price.has_value()) {
    return base::data_loss("an item record is damaged: import the catalogue again");
  }
  item.price = *price;
  item.stock = counted ? std::optional(stock) : std::nullopt;
  return item;
}

}  // namespace beckon::catalog
