// An offer's id would be looked up among the items.
#include "beckon/base/ids.h"
void look_up(const beckon::base::ItemId&);
void misuse(const beckon::base::ItemId& item, const beckon::base::OfferId& offer) {
  look_up(item);
#ifdef BECKON_MISUSE
  look_up(offer);
#endif
  (void)offer;
}
