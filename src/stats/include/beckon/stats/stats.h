#pragma once
// Arrays in, numbers out. All functions are pure and thread-safe; none allocates more than O(n).
//
//   distributions.h  normal, Student t, beta, chi-square
//   intervals.h      shares, differences, ratios, CUPED, sample ratio mismatch, confidence sequence
//   resampling.h     bootstrap
//   calibration.h    reliability, expected calibration error, Platt, isotonic
//   regression.h     logistic regression
//   symmetric.h      eigenvalues and axes of symmetric matrices
//   experiment.h     strata, winsorising, power, A/A replay
//   off_policy.h     what another policy would have earned; overlap.h: whether the log can say
//   reward_model.h   expected reward of an action, cross-fitted
//
// Errors: failed_precondition when the data cannot answer (too few customers, no variance where one is needed);
// spans of different lengths or a level outside (0, 1) are faults of the caller's code and stop (BECKON_CHECK).

#include "beckon/stats/calibration.h"
#include "beckon/stats/distributions.h"
#include "beckon/stats/experiment.h"
#include "beckon/stats/intervals.h"
#include "beckon/stats/off_policy.h"
#include "beckon/stats/overlap.h"
#include "beckon/stats/regression.h"
#include "beckon/stats/resampling.h"
#include "beckon/stats/reward_model.h"
#include "beckon/stats/symmetric.h"
