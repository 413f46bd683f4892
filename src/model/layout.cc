#include "layout.h"

namespace beckon::model::inner {
namespace {

std::size_t size_of(std::int32_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

std::size_t feed_forward_width(const ModelOptions& options) {
  if (options.feed_forward_width > 0) {
    return size_of(options.feed_forward_width);
  }
  return (size_of(options.width) * 8 / 3 + 15) / 16 * 16;
}

Part Layout::add(const std::string& name, std::size_t rows, std::size_t columns) {
  const Part part{size, rows, columns};
  named.push_back({name, part});
  size += (part.size() + 15) / 16 * 16;  // every part starts on a cache line
  return part;
}

Layout::Layout(const ModelOptions& options) {
  const std::size_t width = size_of(options.width);
  const std::size_t inside = feed_forward_width(options);
  for (std::int32_t l = 0; l < options.layers; ++l) {
    const std::string at = "layers." + std::to_string(l) + ".";
    LayerParts& p = layers.emplace_back();
    p.norm1_gain = add(at + "norm1.gain", 1, width);
    p.norm1_shift = add(at + "norm1.shift", 1, width);
    p.qkv = add(at + "attention.qkv.weight", width, 3 * width);
    p.qkv_bias = add(at + "attention.qkv.bias", 1, 3 * width);
    p.distance_bias = add(at + "attention.distance_bias", size_of(options.attention_heads), size_of(options.length_max));
    p.mix = add(at + "attention.mix.weight", width, width);
    p.mix_bias = add(at + "attention.mix.bias", 1, width);
    p.gate1 = add(at + "gate1.weight", width, width);
    p.gate1_bias = add(at + "gate1.bias", 1, width);
    p.norm2_gain = add(at + "norm2.gain", 1, width);
    p.norm2_shift = add(at + "norm2.shift", 1, width);
    p.up = add(at + "feed_forward.up.weight", width, 2 * inside);
    p.down = add(at + "feed_forward.down.weight", inside, width);
    p.gate2 = add(at + "gate2.weight", width, width);
    p.gate2_bias = add(at + "gate2.bias", 1, width);
  }
  final_gain = add("final_norm.gain", 1, width);
  final_shift = add("final_norm.shift", 1, width);
  head = add("heads.weight", width, size_of(options.heads));
  head_bias = add("heads.bias", 1, size_of(options.heads));
  for (std::size_t c = 0; c < options.side_sizes.size(); ++c) {
    side.push_back(add("side." + std::to_string(c) + ".embedding", size_of(options.side_sizes[c]), width));
  }
  token_bias = add("token.bias", 1, size_of(options.tokens));
  token = add("token.embedding", size_of(options.tokens), width);
}

}  // namespace beckon::model::inner
