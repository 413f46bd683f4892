#pragma once
// Studies of a table: each reads a CSV file, calls the estimators and answers JSON with the page as "text" (and files, when asked for).
//
//   price.h       price response

#include "beckon/study/price.h"
