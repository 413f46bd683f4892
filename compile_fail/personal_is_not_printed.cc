// An address would end up in a log.
#include <sstream>
#include <string>

#include "beckon/privacy/privacy.h"
std::string misuse(const beckon::privacy::Personal<std::string>& address) {
  std::ostringstream out;
  out << redact(address);
#ifdef BECKON_MISUSE
  out << address;
#endif
  return out.str();
}
