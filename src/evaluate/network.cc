#include "network.h"

#include <algorithm>

#include "beckon/features/floors.h"
#include "beckon/features/sequence.h"

namespace beckon::evaluate {
namespace {

// The first `count` steps as input, without targets.
model::Sequence input_of(const features::History& history, std::size_t count, bool timed) {
  if (timed) {
    features::SequenceOptions options;
    options.as_of = options.target_until = {std::numeric_limits<std::int64_t>::max()};
    options.targets_inside = false;
    options.steps_max = count;
    return features::make_sequence(history, options);
  }
  model::Sequence out;
  for (std::size_t i = 0; i < count; ++i) {
    out.token.push_back(history.steps[i].token);
  }
  return out;
}

// Each position's target is the very next step, as the protocols with one target ask.
model::Sequence next_step_sequence(const features::History& history, std::size_t until, bool timed) {
  model::Sequence out = input_of(history, until < 2 ? 0 : until - 1, timed);
  for (std::size_t i = 0; i < out.length(); ++i) {
    out.target.push_back(history.steps[i + 1].token);
  }
  return out;
}

// Each position's target is of the customer's next moment: what he will put into his next basket, not into this one.
model::Sequence next_moment_sequence(const features::History& history, base::Instant until) {
  features::SequenceOptions options;
  options.as_of = options.target_until = until.plus_ms(-1);
  return features::make_sequence(history, options);
}

std::size_t steps_before(const features::History& history, base::Instant cut) {
  return features::seen(history, cut.plus_ms(-1)).size();
}

}  // namespace

void fit_to_data(const Data& data, Protocol protocol, model::ModelOptions& options) {
  options.tokens = data.set.vocabulary.size();
  options.side_sizes = data.timed ? features::side_sizes(data.set.words) : std::vector<std::int32_t>();
  options.heads = data.timed && protocol == Protocol::kNextBasket ? features::kHeads : 0;
}

std::vector<model::Sequence> training_sequences(const Data& data, const Split& cut, Protocol protocol) {
  std::vector<model::Sequence> out;
  for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
    const auto& history = data.set.histories[h];
    auto one = protocol == Protocol::kNextBasket ? next_moment_sequence(history, cut.validation_at)
                                                 : next_step_sequence(history, cut.train_until[h], data.timed);
    if (one.length() > 0) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

std::vector<model::Sequence> newer_sequences(const Data& data, const Split& cut, Protocol protocol) {
  std::vector<model::Sequence> out;
  for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
    const auto& history = data.set.histories[h];
    const bool basket = protocol == Protocol::kNextBasket;
    auto one = basket ? next_moment_sequence(history, cut.test_at) : next_step_sequence(history, cut.known_until[h], data.timed);
    if (basket) {
      features::learn_after(cut.validation_at.plus_ms(-1), one);
    } else {
      one.learn_from = std::max<std::size_t>(steps_before(history, cut.validation_at), 1) - 1;  // whose target is the first new step
    }
    if (one.length() > 0) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

void Network::score(std::span<const Case> cases, std::span<float> scores) const {
  std::vector<model::Sequence> inputs;
  for (const auto& one : cases) {
    inputs.push_back(input_of(*one.history, one.seen, timed_));
  }
  base::SeededExecutor here(1);  // cases are already spread over the workers
  weights_.score_histories(inputs, weights_.encode(inputs, here), scores);
}

}  // namespace beckon::evaluate
