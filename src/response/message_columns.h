#pragma once
// Private to response: a message as columns of numbers, from what was known before it left.

#include <vector>

#include "beckon/response/message_response.h"

namespace beckon::response {

struct MessageFacts {
  const features::History* history = nullptr;
  base::Instant at;               ///< nothing from here on is seen
  std::int32_t token = 0;
  Approach approach;
  double rate = 0;                ///< of its cell (ClickRates), leaving this customer out where he taught it
  double head = -1;               ///< the network's answer; < 0: none
};

/// The last level of the shrinkage: a customer's own clicks before a moment, drawn towards his cell's rate by 20 messages' worth of it.
double own_rate(const features::History& history, base::Instant at, double rate);

const std::vector<std::string>& message_column_names();
/// Appends one row.
void add_message_columns(const MessageFacts& facts, std::vector<float>& row);

}  // namespace beckon::response
