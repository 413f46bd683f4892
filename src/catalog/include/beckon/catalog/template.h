#pragma once
// Slot texts: what a message says, with gaps that only facts may fill.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::catalog {

/// Slots: {item} {price} {was} {discount} {code} {expiry}.
struct SlotText {
  std::string subject;
  std::string body;
};

struct Template {
  std::string id;
  /// offer kind → language → text. Kind "none" recommends without a promotion.
  std::map<std::string, std::map<std::string, SlotText>> texts;
};

/// The bank that always works: "standard", in en and zh, for every kind of offer.
const Template& built_in_template();

/// A template file: [percent_off.en] subject = "…" body = "…". Refuses unknown slots, a missing {item}, bare digits and prices
/// (facts come from slots alone), and a kind or language it cannot serve.
base::Result<Template> load_template(std::string_view text, const std::string& file);

/// The slots a text uses, or why it is no valid slot text.
base::Result<std::vector<std::string>> slots_of(std::string_view text);

}  // namespace beckon::catalog
