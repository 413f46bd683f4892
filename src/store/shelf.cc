#include "beckon/store/shelf.h"

#include "beckon/base/codec.h"

namespace beckon::store {
namespace {

// Partition byte 0 and a table byte of its own: rows that belong to the shop, not to a customer.
std::string shop_key(char table, const std::string& market, const std::string& id) {
  base::Writer key;
  key.u8(0);
  key.u8(static_cast<std::uint8_t>(table));
  key.text(market);
  key.text(id);
  return key.take();
}

std::string encode_point(const PricePoint& point) {
  base::Writer out;
  out.u8(1);
  out.zigzag(point.at.ms);
  out.zigzag(point.price.minor());
  out.text(point.price.currency().code());
  out.u8(point.sale_price.has_value() ? 1 : 0);
  out.zigzag(point.sale_price.has_value() ? point.sale_price->minor() : 0);
  return base::seal(out.view());
}

base::Result<PricePoint> decode_point(std::string_view bytes) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  base::Reader in(payload);
  const bool known = in.u8() == 1;
  PricePoint point;
  point.at.ms = in.zigzag();
  const std::int64_t minor = in.zigzag();
  const std::string_view code = in.text();
  const bool on_sale = in.u8() != 0;
  const std::int64_t sale_minor = in.zigzag();
  if (!known || in.failed()) {
    return base::data_loss("a row of the price ledger is damaged or newer: restore it from a backup");
  }
  base::Currency currency;
  if (!code.empty()) {
    BECKON_TRY(currency, base::Currency::parse(code));
  }
  point.price = base::Money(minor, currency);
  if (on_sale) {
    point.sale_price = base::Money(sale_minor, currency);
  }
  return point;
}

// Two imports in the same millisecond (a clock that stands still under --as-of) are two points: the later one sorts behind.
base::Result<std::string> first_free(const KeyValue& rows, std::string key) {
  for (;; key.push_back('\1')) {
    BECKON_TRY(const auto taken, rows.get(key));
    if (!taken.has_value()) {
      return key;
    }
  }
}

}  // namespace

base::Result<ImportCounts> Shelf::import(const std::vector<catalog::Item>& items, base::Instant now) {
  ImportCounts counts;
  WriteBatch changes;
  std::map<std::string, std::size_t> last;  // an id twice in one feed: the later row counts
  for (std::size_t i = 0; i < items.size(); ++i) {
    last[shop_key('I', items[i].market, items[i].id.str())] = i;
  }
  for (const auto& [key, index] : last) {
    const catalog::Item& item = items[index];
    BECKON_TRY(const auto stored, rows_.get(key));
    bool new_price = !stored.has_value();
    if (stored.has_value()) {
      BECKON_TRY(const catalog::Item before, catalog::decode_item(*stored));
      new_price = before.price != item.price || before.sale_price != item.sale_price;
      ++(before == item ? counts.unchanged : counts.changed);
    } else {
      ++counts.added;
    }
    changes.put(key, catalog::encode(item));
    if (new_price) {
      base::Writer point_key;
      point_key.raw(shop_key('R', item.market, item.id.str()));
      point_key.be64(static_cast<std::uint64_t>(now.ms));
      BECKON_TRY(std::string free_key, first_free(rows_, point_key.take()));
      changes.put(std::move(free_key), encode_point({now, item.price, item.sale_price}));
      ++counts.price_points;
    }
  }
  BECKON_TRY_STATUS(rows_.write(changes));
  return counts;
}

base::Result<std::vector<catalog::Item>> Shelf::items() const {
  std::vector<catalog::Item> items;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows_.scan(std::string("\0I", 2), [&](std::string_view, std::string_view value) {
    auto item = catalog::decode_item(value);
    problem = item.ok() ? base::ok_status() : base::Status(item.error());
    if (item.ok()) {
      items.push_back(std::move(item).value());
    }
    return problem.ok();
  }));
  BECKON_TRY_STATUS(problem);
  return items;
}

base::Result<std::optional<catalog::Item>> Shelf::item(const std::string& market, const base::ItemId& id) const {
  for (const auto& where : {market, std::string()}) {  // an item without a market is sold in all
    BECKON_TRY(const auto bytes, rows_.get(shop_key('I', where, id.str())));
    if (bytes.has_value()) {
      BECKON_TRY(auto item, catalog::decode_item(*bytes));
      return std::optional<catalog::Item>(std::move(item));
    }
  }
  return std::optional<catalog::Item>();
}

base::Result<std::vector<PricePoint>> Shelf::prices(const std::string& market, const base::ItemId& id) const {
  std::vector<PricePoint> points;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows_.scan(shop_key('R', market, id.str()), [&](std::string_view, std::string_view value) {
    auto point = decode_point(value);
    problem = point.ok() ? base::ok_status() : base::Status(point.error());
    if (point.ok()) {
      points.push_back(std::move(point).value());
    }
    return problem.ok();
  }));
  BECKON_TRY_STATUS(problem);
  return points;
}

}  // namespace beckon::store
