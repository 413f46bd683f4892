#pragma once
// Private to engine: who is in the audience of a campaign, in which group, with which permits.

#include <string>

#include "beckon/measure/groups.h"
#include "campaigns.h"

namespace beckon::engine {

/// The shop's and the campaign's layers. A campaign that states no random share gets random_share_first until a message of another
/// campaign or period went to a customer drawn at random.
base::Result<measure::Layers> layers_of(const Context& context, const catalog::Campaign& campaign);

/// Reads the store; thread-safe as long as nobody writes to it.
class PersonMaker {
 public:
  struct Parts {
    const Context* context = nullptr;
    const catalog::Campaign* campaign = nullptr;
    const measure::Layers* layers = nullptr;
    PlanScope scope = PlanScope::kReal;
  };
  explicit PersonMaker(const Parts& parts) : parts_(parts), people_(*parts.context->rows) {}

  /// `history`: nullptr when nothing is known of him.
  base::Result<decide::Person> make(const privacy::Pseudonym& customer, const features::History* history) const;

 private:
  /// Why he is not in the audience; empty: he is.
  base::Result<std::string> excluded(const privacy::Pseudonym& customer, const features::History* history) const;

  Parts parts_;
  store::People people_;
};

}  // namespace beckon::engine
