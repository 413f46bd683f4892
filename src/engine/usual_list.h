#pragma once
// Private to engine: what the shop's old tool chose for the customers of business as usual.

#include <map>

#include "campaigns.h"

namespace beckon::engine {

/// customer → choice, from the list of the campaign's [usual] table (CSV: customer, item, and if it says so offer, channel); empty when
/// there is none. A customer who stands there twice keeps his first row. Rows that name no customer, item, offer or channel of this
/// campaign are counted in material.notes, each reason in a line. not_found when the file is missing.
base::Result<std::map<privacy::Pseudonym, decide::Listed>> read_usual_list(const Context& context, PlanMaterial& material);

}  // namespace beckon::engine
