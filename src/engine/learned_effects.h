#pragma once
// Private to engine: what earlier campaigns of this shop found about its offers.

#include "beckon/response/effects.h"
#include "outcomes.h"

namespace beckon::engine {

/// From every campaign period whose attribution window is over as of the clock; replays taught nothing, because nobody received them.
base::Result<response::EffectBook> learn_effects(const Context& context);

/// The book's answer for every offer of the campaign, in their order.
std::vector<decide::OfferEffect> effects_of(const response::EffectBook& book, const catalog::Campaign& campaign);

/// Lines for those who read a plan: what is assumed, what was measured, and how many customers more it takes.
std::vector<std::string> effect_lines(const catalog::Campaign& campaign, const std::vector<decide::OfferEffect>& effects);

}  // namespace beckon::engine
