#pragma once
// Messages from slot templates. Thread-safe. Needs a permit: no text is written for somebody who did not agree to be written to.

#include <cstddef>
#include <string>
#include <vector>

#include "beckon/catalog/catalog.h"
#include "beckon/privacy/privacy.h"

namespace beckon::compose {

struct Facts {
  const catalog::Item* item = nullptr;
  const catalog::Offer* offer = nullptr;
  base::Instant offer_until;
  std::string language;           ///< the customer's, BCP 47
  std::string fallback_language;  ///< the shop's
  base::Zone zone = base::Zone::utc();
};

/// What a channel shows at most, in user-perceived characters; 0: no limit. Strictest of the vendors' tables (docs/channels.md).
struct Limits {
  std::size_t subject_max = 0;
  std::size_t body_max = 0;
};
Limits limits_of(const std::string& channel, const std::string& language);

struct Message {
  std::string subject;
  std::string body;
  std::string language;           ///< of the text that was used
  std::string link;
  std::string image_link;
  std::vector<std::string> notes; ///< "title in en, none in zh", "shortened"
};

/// failed_precondition when the template has no text for this kind of offer in any usable language, or the facts do not fit the
/// channel even with a shortened name.
base::Result<Message> write_message(const privacy::Permit<privacy::Purpose::kMarketing>& permit, const catalog::Template& bank,
                                    const Facts& facts);

}  // namespace beckon::compose
