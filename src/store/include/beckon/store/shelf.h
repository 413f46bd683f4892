#pragma once
// Items, and what they cost when: the price ledger only grows.

#include <optional>
#include <string>
#include <vector>

#include "beckon/catalog/item.h"
#include "beckon/store/store.h"

namespace beckon::store {

struct PricePoint {
  base::Instant at;
  base::Money price;
  std::optional<base::Money> sale_price;
  friend bool operator==(const PricePoint&, const PricePoint&) = default;
};

struct ImportCounts {
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t unchanged = 0;
  std::int64_t price_points = 0;
};

class Shelf {
 public:
  explicit Shelf(KeyValue& rows) : rows_(rows) {}
  /// Puts or replaces items; a price that differs from the last one adds a point to the ledger. One synced batch.
  base::Result<ImportCounts> import(const std::vector<catalog::Item>& items, base::Instant now);
  /// All items, by market and id.
  base::Result<std::vector<catalog::Item>> items() const;
  base::Result<std::optional<catalog::Item>> item(const std::string& market, const base::ItemId& id) const;
  /// Oldest first.
  base::Result<std::vector<PricePoint>> prices(const std::string& market, const base::ItemId& id) const;

 private:
  KeyValue& rows_;
};

}  // namespace beckon::store
