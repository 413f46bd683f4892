// Product feeds as written by anybody: CSV, TSV, XML. What is taken in can be written and read again, with the same prices.
#include <cstdint>
#include <string_view>

#include "beckon/base/codec.h"
#include "beckon/catalog/item.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  catalog::FeedOptions options;
  options.currency = base::Currency::parse("EUR").value();
  const auto feed = catalog::parse_feed(bytes, options);
  if (!feed.ok()) {
    BECKON_CHECK(!feed.error().message.empty());
    return 0;
  }
  BECKON_CHECK(feed->items.size() + feed->rejects.size() <= static_cast<std::size_t>(feed->rows));
  for (const auto& item : feed->items) {
    BECKON_CHECK(!item.id.empty() && !item.price.is_negative());
    BECKON_CHECK(catalog::decode_item(catalog::encode(item)).value() == item);
  }
  if (!feed->items.empty()) {
    const auto again = catalog::parse_feed(catalog::write_feed(feed->items, "en"), options);
    BECKON_CHECK(again.ok());
  }
  catalog::FeedOptions mapped = options;
  mapped.columns = {{"id", "sku"}, {"price", "p"}, {"time", "t"}};
  mapped.as_of = {1'780'000'000'000};
  BECKON_CHECK(catalog::parse_feed(bytes, mapped).ok() || !catalog::parse_feed(bytes, mapped).error().message.empty());
  return 0;
}
