// A failed write would pass unseen.
#include "beckon/base/result.h"
beckon::base::Status write();
void misuse() {
#ifdef BECKON_MISUSE
  write();
#else
  (void)write().ok();
#endif
}
