#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace beckon::engine {

report::TerminalOptions this_terminal() {
  report::TerminalOptions out;
  out.colour = ::isatty(1) == 1;
  winsize window{};
  out.width = ::ioctl(1, TIOCGWINSZ, &window) == 0 && window.ws_col >= 60 ? window.ws_col : 140;
  return out;
}

}  // namespace beckon::engine
