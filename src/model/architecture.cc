#include "architecture.h"

#include "attention_branch.h"
#include "feed_forward_branch.h"
#include "recurrent_layer.h"
#include "residual_layer.h"

namespace beckon::model::inner {
namespace {

// A transformer block is two residual layers: one mixes positions, one works on each.
void add_block(const ModelOptions& options, const std::string& at, Layout& layout,
               std::vector<std::unique_ptr<const Layer>>& layers) {
  const auto width = static_cast<std::size_t>(options.width);
  const bool gated = options.arch == Arch::kLigr;
  const bool by_distance = resolved_positions(options) == Positions::kDistance;
  const AttentionBranch::Shape attention{width, static_cast<std::size_t>(options.attention_heads),
                                         by_distance ? static_cast<std::size_t>(options.length_max) : 0,
                                         options.time_bias && gated};
  const FeedForwardBranch::Shape feed_forward{width, feed_forward_width(options), gated, options.feed_forward_bias};
  layers.push_back(std::make_unique<ResidualLayer>(
      ResidualLayer::Names{at + "norm1", at + "gate1"}, ResidualLayer::Shape{width, gated}, layout,
      [&] { return std::make_unique<AttentionBranch>(at + "attention.", attention, layout); }));
  layers.push_back(std::make_unique<ResidualLayer>(
      ResidualLayer::Names{at + "norm2", at + "gate2"}, ResidualLayer::Shape{width, gated}, layout,
      [&] { return std::make_unique<FeedForwardBranch>(at + "feed_forward.", feed_forward, layout); }));
}

}  // namespace

std::vector<std::unique_ptr<const Layer>> make_layers(const ModelOptions& options, Layout& layout) {
  std::vector<std::unique_ptr<const Layer>> layers;
  for (std::int32_t l = 0; l < options.layers; ++l) {
    const std::string at = "layers." + std::to_string(l) + ".";
    if (is_recurrent(options.arch)) {
      const bool between = l + 1 < options.layers;
      layers.push_back(std::make_unique<RecurrentLayer>(
          at, RecurrentLayer::Shape{static_cast<std::size_t>(options.width), cell_of(options.arch), between}, layout));
    } else {
      add_block(options, at, layout, layers);
    }
  }
  return layers;
}

}  // namespace beckon::model::inner
