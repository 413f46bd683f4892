#pragma once
// Private to engine: the messages that customers received, with what was offered in them and whether they were clicked.

#include "beckon/engine/engine.h"
#include "beckon/features/features.h"
#include "beckon/response/candidate_response.h"

namespace beckon::engine {

/// In the order of the data's histories. What the ledger knows of a delivery (offer, item, local hour) is joined by its id; replays, which
/// nobody received, are not in the data. Messages of other senders have what their event says.
base::Result<std::vector<response::SentMessage>> sent_messages(const Context& context, const features::Dataset& data);

}  // namespace beckon::engine
