// A price would silently lose or gain a fraction.
#include "beckon/base/money.h"
beckon::base::Money use(beckon::base::Currency currency) {
#ifdef BECKON_MISUSE
  return beckon::base::Money(12.5, currency);
#else
  return beckon::base::Money(1250, currency);
#endif
}
