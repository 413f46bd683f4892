#pragma once
// Private to engine: how likely a message is clicked, from the shop's own ledger.

#include "beckon/response/message_response.h"
#include "campaigns.h"
#include "sent_messages.h"

namespace beckon::engine {

struct ClickLesson {
  const features::Dataset* data = nullptr;
  const features::ItemFacts* facts = nullptr;
  const TrainedModel* trained = nullptr;  ///< nullptr: no network
  std::span<const response::SentMessage> messages;
};
base::Result<response::MessageResponse> learn_clicks(const Context& context, const ClickLesson& lesson);
/// Which learner was chosen, how the others did, and whether its probabilities hold.
base::Json clicks_json(const response::MessageResponse& clicks);

/// Histories that were scored, and whose they are.
struct ScoredPeople {
  const std::vector<const features::History*>& histories;
  const std::vector<std::size_t>& persons;
};
/// Click probability of every item, offer and channel that a person may get.
base::Status add_clicks(const Context& context, const ScoredPeople& people, PlanMaterial& material);

}  // namespace beckon::engine
