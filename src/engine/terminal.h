#pragma once
// Private to engine: the terminal that a page is drawn for.

#include "beckon/report/report.h"

namespace beckon::engine {

/// Width and colour of the standard output; 140 columns where it is none.
report::TerminalOptions this_terminal();

}  // namespace beckon::engine
