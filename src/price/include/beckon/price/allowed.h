#pragma once
// Which columns may shape a price. A price may depend on the goods, the offer, the place of sale and the calendar; never on what a
// person owns, earns or is, nor on the thing he holds in his hand.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::price {

enum class Purpose {
  kDecision,  ///< a price or a discount depth is chosen with it: only the closed list of allowed_kinds()
  kStudy,     ///< an elasticity is estimated with it: everything but the forbidden kinds
  kAudit,     ///< prices are checked for fairness with it: everything
};

struct FeatureKind {
  std::string_view name;                ///< "age", "device", … or "item", "calendar", …
  std::vector<std::string_view> words;  ///< parts of column names that mean it, lower case
};
/// What a decision may use; anything that is on neither list is refused there too.
const std::vector<FeatureKind>& allowed_kinds();
const std::vector<FeatureKind>& forbidden_kinds();

/// The name of the forbidden kind that a column's name speaks of, or empty. Names are cut at '_', '-', '.', blanks and capitals;
/// words of five letters or more also count inside a longer one (grossincome), and "ln" or "log" in front is ignored (lnage).
std::string_view forbidden_kind(std::string_view column);

/// invalid_argument with one line that names the column, its kind and the way out.
base::Status check_allowed(std::span<const std::string> columns, Purpose purpose);

}  // namespace beckon::price
