#pragma once
// Private to engine: the trained model of a shop on disk, and what is needed to score with it.

#include <memory>
#include <optional>
#include <string>

#include "beckon/engine/engine.h"
#include "beckon/features/sequence.h"
#include "beckon/model/model.h"
#include "beckon/response/candidate_response.h"
#include "beckon/response/scorer.h"

namespace beckon::engine {

/// model/model.safetensors, model/candidate_heads.safetensors and model/model.json (docs/formats/model.md).
struct TrainedModel {
  std::optional<model::Model> weights;
  features::Vocabulary vocabulary;
  features::ItemWords words;  ///< of the side columns
  response::ItemResponse item_response;
  std::optional<response::CandidateResponse> candidates;  ///< nullopt: there was too little to learn it from
  std::string version;        ///< of all weights: changes whenever they do
  base::Json figures;         ///< of the training run
  base::Instant learned_until;  ///< steps up to here have taught the weights
};

/// nullopt when the shop has none yet; an Error when it is damaged or of another version.
base::Result<std::optional<TrainedModel>> load_model(const Context& context);
base::Status save_model(Context& context, const TrainedModel& trained);
std::string model_path(const Context& context);

/// Words that a network does not know yet: kUnknown, they are 0; kNumbered, they get numbers behind those that it knows, for a network
/// that goes on learning.
enum class NewWords { kUnknown, kNumbered };
/// What the shelf says about items. With the words of a trained model its numbers, else new ones. Training and every use of a model go
/// through here: other numbers would mean other words.
features::ItemFacts facts_of(const Config& config, const std::vector<catalog::Item>& items, const features::ItemWords* words = nullptr,
                             NewWords new_words = NewWords::kUnknown);

/// The words as model.json and pretrained.json hold them.
base::Json words_json(const features::ItemWords& words);
features::ItemWords words_from(const base::Json& json);

/// A list of at most ten tokens for each history; what a strategy would show.
using Ranking = std::function<std::vector<std::int32_t>(std::size_t history)>;
struct RankingFigures {
  std::string name;
  double ndcg10 = 0;
  double hit10 = 0;
  std::int64_t customers = 0;
  std::vector<double> each_ndcg;   ///< per customer, for paired comparisons
};
RankingFigures judge(const std::string& name, const std::vector<std::vector<std::int32_t>>& relevant, const Ranking& ranking);

}  // namespace beckon::engine
