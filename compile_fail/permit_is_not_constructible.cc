// A message could be sent without anybody having looked at the consent.
#include "beckon/privacy/privacy.h"
using beckon::privacy::Permit;
using beckon::privacy::Purpose;
void send(const Permit<Purpose::kMarketing>&);
void misuse(const beckon::privacy::Pseudonym& customer) {
#ifdef BECKON_MISUSE
  send(Permit<Purpose::kMarketing>(customer, "email", {0}));
#endif
  (void)customer;
}
