#pragma once
// What a treatment changes, customer by customer.
//
//   matrix.h     columns of a file as numbers
//   base.h       expected outcomes: boosted trees, linear models
//   learners.h   effects from expected outcomes: S, T, X, R, DR …
//   curve.h      Qini, uplift at a share, what a policy earns
//   compare.h    which of them ranks better than chance, if any
//   several.h    which of several treatments for whom

#include "beckon/uplift/base.h"
#include "beckon/uplift/compare.h"
#include "beckon/uplift/curve.h"
#include "beckon/uplift/learners.h"
#include "beckon/uplift/matrix.h"
#include "beckon/uplift/several.h"
