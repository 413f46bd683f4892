#pragma once
// Items and the feeds they come from.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/ids.h"
#include "beckon/base/money.h"
#include "beckon/base/result.h"

namespace beckon::catalog {

struct Item {
  base::ItemId id;
  std::map<std::string, std::string> title;  ///< language → text
  std::string description;
  std::string category;                      ///< path, "Food > Drinks > Wine"
  std::string brand;
  std::string image_link;
  std::string link;
  std::string market;                        ///< empty: every market
  base::Money price;                         ///< currency empty: not known
  std::optional<base::Money> sale_price;
  std::optional<base::Money> cost;
  std::optional<std::int64_t> stock;         ///< pieces; absent: not counted

  /// The title in `language`, else in `fallback`, else any, else the id.
  const std::string& title_in(const std::string& language, const std::string& fallback) const;
  bool has_title(const std::string& language) const { return title.contains(language); }
  /// What a customer pays today without any offer.
  const base::Money& current_price() const { return sale_price.has_value() ? *sale_price : price; }
  /// First step of the category path.
  std::string top_category() const;
  friend bool operator==(const Item&, const Item&) = default;
};

/// Stored form, versioned and checksummed (docs/formats/item.md).
std::string encode(const Item& item);
base::Result<Item> decode_item(std::string_view bytes);

/// role → column. Roles: id, title, title_<language>, description, category, brand, price, sale_price, cost, stock, image_link,
/// link, market, time. Empty: Google's attribute names. `time` is for files that are no feeds (order lines): rows later than `as_of`
/// are not seen.
struct FeedOptions {
  std::map<std::string, std::string> columns;
  base::Currency currency;     ///< of prices without one
  std::string language = "en"; ///< of `title`
  base::Instant as_of{std::int64_t{1} << 60};
  base::Zone zone = base::Zone::utc();  ///< of times without offset
};

struct FeedReject {
  std::int64_t line = 0;  ///< 1-based; for XML the line of the entry
  std::string field;
  std::string reason;     ///< from a short closed list
};

struct Feed {
  std::vector<Item> items;      ///< each id once per market: later rows add what they know, a row without a price takes none away
  std::vector<FeedReject> rejects;
  std::int64_t rows = 0;
};

/// Detects XML by its first character and TSV by a tab in the header, else CSV. A file that cannot be read as a whole is an error;
/// a bad row is a reject.
base::Result<Feed> parse_feed(std::string_view bytes, const FeedOptions& options);
/// One TSV in Google's attribute names, readable by parse_feed.
std::string write_feed(const std::vector<Item>& items, const std::string& language);

/// Fields by role of one entry → Item, or why not. Shared by the readers of rows and of XML.
base::Result<Item> item_from_fields(const std::map<std::string, std::string>& fields, const FeedOptions& options);
/// The XML reader (expat; external entities are never fetched).
base::Result<Feed> parse_feed_xml(std::string_view bytes, const FeedOptions& options);

}  // namespace beckon::catalog
