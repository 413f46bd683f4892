#include "language_helper.h"

namespace beckon::model {

std::vector<Sequence> two_step_language(std::int32_t tokens, std::size_t count, std::size_t length, std::uint64_t seed) {
  base::Rng rng(seed);
  const auto letters = static_cast<std::uint64_t>(tokens - 1);
  std::vector<Sequence> out;
  for (std::size_t s = 0; s < count; ++s) {
    std::vector<std::int32_t> text{static_cast<std::int32_t>(1 + rng.below(letters)),
                                   static_cast<std::int32_t>(1 + rng.below(letters))};
    while (text.size() < length + 1) {
      const std::size_t n = text.size();
      text.push_back(1 + (3 * text[n - 2] + 5 * text[n - 1]) % (tokens - 1));
    }
    Sequence sequence;
    sequence.token.assign(text.begin(), text.end() - 1);
    sequence.target.assign(text.begin() + 1, text.end());
    sequence.target[0] = 0;  // not determined by what was seen
    out.push_back(std::move(sequence));
  }
  return out;
}

ModelOptions language_options(std::int32_t tokens) {
  ModelOptions options;
  options.tokens = tokens;
  options.width = 32;
  options.layers = 2;
  options.length_max = 12;
  options.dropout = 0;
  return options;
}

std::vector<Sequence> random_sequences(const ModelOptions& options, std::size_t count, std::uint64_t seed) {
  base::Rng rng(seed);
  const auto below = [&](std::int32_t bound) {
    return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(bound)));
  };
  std::vector<Sequence> out(count);
  for (auto& sequence : out) {
    const std::int32_t length = 1 + below(options.length_max);
    std::int64_t at_ms = 1'700'000'000'000;
    for (std::int32_t i = 0; i < length; ++i) {
      sequence.token.push_back(below(options.tokens));
      sequence.target.push_back(below(4) == 0 ? 0 : below(options.tokens));
      sequence.at_ms.push_back(at_ms);
      at_ms += below(3) == 0 ? below(50'000) : std::int64_t{60'000} << below(20);
      sequence.request_ms.push_back(at_ms);
      for (const std::int32_t size : options.side_sizes) {
        sequence.side.push_back(below(size));
      }
      for (std::int32_t h = 0; h < options.heads; ++h) {
        sequence.label.push_back(static_cast<std::int8_t>(below(3) - 1));
      }
    }
  }
  return out;
}

}  // namespace beckon::model
