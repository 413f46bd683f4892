#pragma once
// Studies of a table: each reads a CSV file, calls the estimators and answers JSON with the page as "text" (and files, when asked for).
//
//   ope.h         off-policy evaluation
//   experiment.h  experiments
//   price.h       price response
//   uplift.h      what a treatment changes, and whom to treat

#include "beckon/study/experiment.h"
#include "beckon/study/ope.h"
#include "beckon/study/price.h"
#include "beckon/study/uplift.h"
