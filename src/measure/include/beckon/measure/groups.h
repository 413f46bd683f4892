#pragma once
// Nested, sticky groups. Every draw is a salted stable hash of the customer, so that nothing has to be stored and nobody changes his group
// between two plans, two machines or two runs. Thread-safe: pure functions.

#include <array>
#include <string>
#include <string_view>

#include "beckon/events/records.h"
#include "beckon/privacy/privacy.h"

namespace beckon::measure {

/// The draw behind the groups: uniform in [0, 1); the same customer always gets the same number for a salt.
double assignment_draw(const privacy::Pseudonym& customer, std::string_view salt);

/// From the outside in: the shop's global holdout, then the campaign's (or trigger's) own holdout, then business as usual, then the
/// random control; the rest is treated. Shares of the inner layers are of the customers outside the global holdout.
struct Layers {
  double global_holdout = 0;
  std::string global_salt = "1";  ///< a new one draws the shop's holdout anew
  double holdout = 0;
  double usual = 0;
  double random = 0;
  std::string salt = {};          ///< id of the campaign or trigger, never of its period: who is kept out stays kept out
};

/// Nobody in it gets any commercial contact: no plan, no trigger, no offer on the site or in the store. Service messages are exempt.
bool in_global_holdout(const privacy::Pseudonym& customer, const Layers& layers);

/// One independent draw a layer: a larger share takes customers in, and lets nobody of that layer out.
events::Group assign(const privacy::Pseudonym& customer, const Layers& layers);

/// The share of all customers that each group should have, by the number of the group (index 0 is none).
std::array<double, events::kGroupMax + 1> group_shares(const Layers& layers);

}  // namespace beckon::measure
