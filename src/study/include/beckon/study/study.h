#pragma once
// Studies of a table: each reads a CSV file, calls the estimators and answers JSON with the page as "text" (and files, when asked for).
//
//   ope.h         off-policy evaluation
//   experiment.h  experiments

#include "beckon/study/experiment.h"
#include "beckon/study/ope.h"
