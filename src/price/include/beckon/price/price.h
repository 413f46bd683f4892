#pragma once
// What a price does to demand: elasticities, the curve over discount depth, and whether the variation behind them is worth believing.
//
//   allowed.h      which columns may shape a price, a closed list per purpose
//   elasticity.h   slopes within cells: log-log, linear at the mean, Poisson pseudo-likelihood; residual on residual
//   crossfit.h     columns as numbers, cross-fitted ridge regression, residuals of price and quantity
//   columns.h      which columns were known before the price, and which of those predict it
//   shrink.h       groups pulled towards their parent by as much as their noise deserves
//   curve.h        expected quantity over price: falling, smooth, with an interval for each prediction
//
// Arrays in, numbers out; pure and thread-safe; the same seed gives the same bits. Errors: failed_precondition when the data cannot
// answer (a constant price, too few rows), invalid_argument for what was asked. Spans of different lengths are faults of the caller
// and stop (BECKON_CHECK).

#include "beckon/price/allowed.h"
#include "beckon/price/columns.h"
#include "beckon/price/crossfit.h"
#include "beckon/price/curve.h"
#include "beckon/price/elasticity.h"
#include "beckon/price/shrink.h"
