#pragma once
// Studies of a file: what `beckon evaluate uplift|price|ope|experiment` does. Each reads a table, calls the estimators and answers
// with its figures, the same as a page for the terminal ("text"), and the files that it wrote ("files").
//
//   uplift.h   what a treatment changes, and whom to treat

#include "beckon/study/uplift.h"
