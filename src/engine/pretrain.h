#pragma once
// Private to engine: where a training starts, a fresh pre-training or one that there is.

#include "holdout.h"
#include "item_texts.h"
#include "pretrained.h"
#include "sent_messages.h"

namespace beckon::engine {

/// What a training reads. `words`: numbers of the side columns that the network has already (facts_of); null: new ones.
struct Material {
  features::Dataset data;
  ItemTextSteps texts;
  std::vector<response::SentMessage> messages;
  features::ItemFacts facts;
};
base::Result<Material> material_of(const Context& context, base::Instant as_of, const features::ItemWords* words, NewWords new_words);

struct Start {
  model::Model weights;             ///< in the warm tokens of the data
  base::Instant learned_until;
  double pretraining_seconds = 0;
  bool fresh = false;               ///< pre-trained now
  model::TrainReport report;        ///< when fresh
  std::string why;                  ///< for people: why fresh, or what it goes on from
};
struct StartInput {
  const Material* material;
  TimeSplit split;
  std::int64_t horizon_ms;
  const TrainRequest* request;
  const features::Dataset& data() const { return material->data; }
};

/// Of a pre-training at work; its state, for --resume, is beside it.
std::string checkpoint_path(const Context& context);

/// Trains on all steps up to validation_from, those of request.with_shops too, and keeps it for the next time.
base::Result<Start> pretrain(Context& context, const StartInput& in);
/// The pre-trained weights in the tokens of the data, which must have been read with its words. failed_precondition: of another network.
base::Result<Start> go_on_from(const Context& context, const StartInput& in, const Pretrained& pretrained);
/// Why a pre-training is of no more use; empty when it is.
std::string outdated(const Start& start, const StartInput& in);

/// Everybody's steps up to `until` as sequences of warm tokens.
std::vector<model::Sequence> sequences_until(const StartInput& in, base::Instant until);

/// Teaches the weights what followed `newer.first`, up to `newer.second`. Returns the seconds that it took; nullopt, and nothing has
/// changed, when nothing followed or the configuration wants no fine-tuning.
base::Result<std::optional<double>> fine_tune(Context& context, const StartInput& in, model::Model& weights, const std::pair<base::Instant, base::Instant>& newer);

}  // namespace beckon::engine
