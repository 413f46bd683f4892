#include "beckon/measure/groups.h"

#include "beckon/base/rng.h"

namespace beckon::measure {

double assignment_draw(const privacy::Pseudonym& customer, std::string_view salt) {
  std::string text = customer.bytes();
  text.push_back('|');
  text.append(salt);
  return static_cast<double>(base::stable_hash(text, 0x67726f7570ULL) >> 11U) * 0x1.0p-53;
}

bool in_global_holdout(const privacy::Pseudonym& customer, const Layers& layers) {
  return assignment_draw(customer, "global holdout|" + layers.global_salt) < layers.global_holdout;
}

events::Group assign(const privacy::Pseudonym& customer, const Layers& layers) {
  if (in_global_holdout(customer, layers)) {
    return events::Group::kGlobalHoldout;
  }
  double left = 1;  // of the customers outside the layers before: a layer's own draw decides among those
  const auto drawn = [&](double share, const char* layer) {
    const bool in = left > 0 && assignment_draw(customer, layers.salt + "|" + layer) < share / left;
    left -= share;
    return in;
  };
  if (drawn(layers.holdout, "holdout")) {
    return events::Group::kHoldout;
  }
  if (drawn(layers.usual, "usual")) {
    return events::Group::kUsual;
  }
  return drawn(layers.random, "random") ? events::Group::kRandom : events::Group::kTreated;
}

std::array<double, events::kGroupMax + 1> group_shares(const Layers& layers) {
  const double inside = 1 - layers.global_holdout;
  std::array<double, events::kGroupMax + 1> out{};
  const auto set = [&](events::Group group, double share) { out.at(static_cast<std::size_t>(group)) = share; };
  set(events::Group::kGlobalHoldout, layers.global_holdout);
  set(events::Group::kHoldout, inside * layers.holdout);
  set(events::Group::kUsual, inside * layers.usual);
  set(events::Group::kRandom, inside * layers.random);
  set(events::Group::kTreated, inside * (1 - layers.holdout - layers.usual - layers.random));
  return out;
}

}  // namespace beckon::measure
