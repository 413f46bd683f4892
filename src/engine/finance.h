#pragma once
// Private to engine: the shop's books, and how a month of them looks.

#include <string>
#include <vector>

#include "beckon/engine/engine.h"
#include "beckon/measure/finance.h"
#include "beckon/report/report.h"

namespace beckon::engine {

/// Months are those of the shop's first market.
base::Zone books_zone(const Context& context);

struct ShopBooks {
  measure::Books books;
  std::vector<std::string> notes;  ///< what could not be read, and what that changes
};
/// All customers, and the sums kept of erased ones, as far as the clock has come.
base::Result<ShopBooks> shop_books(const Context& context);

/// Erasing a customer must not take money out of the books: his sums, without his name, are added to those of others erased before;
/// what he could still have used ends now.
base::Status keep_books_of(const Context& context, const privacy::Pseudonym& person, store::WriteBatch& changes);

/// `document`: what beckon report --finance --json prints (docs/formats/finance.md).
report::Page finance_page(const std::string& shop_name, const base::Json& document);
std::string finance_csv(const base::Json& document);

}  // namespace beckon::engine
