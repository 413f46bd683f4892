#include "layout.h"

#include "architecture.h"
#include "layer.h"
#include "memory.h"

namespace beckon::model::inner {
namespace {

std::size_t size_of(std::int32_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

bool is_recurrent(Arch arch) {
  return arch == Arch::kRnn || arch == Arch::kGru || arch == Arch::kLstm;
}

Positions resolved_positions(const ModelOptions& options) {
  if (options.positions != Positions::kAuto) {
    return options.positions;
  }
  if (is_recurrent(options.arch)) {
    return Positions::kNone;
  }
  return options.arch == Arch::kSasrec ? Positions::kAbsolute : Positions::kDistance;
}

std::size_t feed_forward_width(const ModelOptions& options) {
  if (options.feed_forward_width > 0) {
    return size_of(options.feed_forward_width);
  }
  return options.arch == Arch::kSasrec ? size_of(options.width) : (size_of(options.width) * 8 / 3 + 15) / 16 * 16;
}

Part Layout::add(const std::string& name, std::size_t rows, std::size_t columns) {
  const Part part{size, rows, columns};
  named.push_back({name, part});
  size += (part.size() + 15) / 16 * 16;  // every part starts on a cache line
  return part;
}

Layout::Layout(const ModelOptions& options) {
  const std::size_t width = size_of(options.width);
  layers = make_layers(options, *this);
  if (resolved_positions(options) == Positions::kAbsolute) {
    position = add("position.embedding", size_of(options.length_max), width);
  }
  if (options.final_norm) {
    final_gain = add("final_norm.gain", 1, width);
    final_shift = add("final_norm.shift", 1, width);
  }
  head = add("heads.weight", width, size_of(options.heads));
  head_bias = add("heads.bias", 1, size_of(options.heads));
  if (uses_memory(options)) {
    gate = add("memory.gate", width, kMemoryFeatures);
    gate_bias = add("memory.gate_bias", 1, kMemoryFeatures);
  }
  for (std::size_t c = 0; c < options.side_sizes.size(); ++c) {
    const bool says_something = options.side_sizes[c] > 1;
    side.push_back(says_something ? add("side." + std::to_string(c) + ".embedding", size_of(options.side_sizes[c]), width) : Part{});
  }
  token_bias = add("token.bias", 1, size_of(options.tokens));
  token = add("token.embedding", size_of(options.tokens), width);
}

Layout::~Layout() = default;

}  // namespace beckon::model::inner
