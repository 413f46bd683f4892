#pragma once
// Private to uplift: what base learners share.

#include <memory>

#include "beckon/uplift/base.h"

namespace beckon::uplift {

void check(const Lesson& lesson);
double mean_weight(const Lesson& lesson);
double weighted_mean(const Lesson& lesson);
/// The mean for everybody, when all outcomes are equal; else null.
std::unique_ptr<Fitted> fit_constant(const Lesson& lesson);

}  // namespace beckon::uplift
