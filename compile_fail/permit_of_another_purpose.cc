// Consent to measurement would pass as consent to advertising.
#include "beckon/privacy/privacy.h"
using beckon::privacy::Permit;
using beckon::privacy::Purpose;
void send(const Permit<Purpose::kMarketing>&);
void misuse(const Permit<Purpose::kMeasurement>& measurement, const Permit<Purpose::kMarketing>& marketing) {
  send(marketing);
#ifdef BECKON_MISUSE
  send(measurement);
#endif
  (void)measurement;
}
