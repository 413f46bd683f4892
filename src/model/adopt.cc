// Weights of one model in another whose tokens are others.

#include <algorithm>

#include "layout.h"

namespace beckon::model {
namespace {

bool is_token_table(const inner::Layout& layout, const inner::Part& part) {
  return part.offset == layout.token.offset || part.offset == layout.token_bias.offset;
}

bool is_side_table(const inner::Layout& layout, const inner::Part& part) {
  return std::ranges::any_of(layout.side, [&](const inner::Part& side) { return side.size() > 0 && side.offset == part.offset; });
}

const inner::Part* find(const inner::Layout& layout, const std::string& name) {
  const auto found = std::ranges::find(layout.named, name, &inner::NamedPart::name);
  return found == layout.named.end() ? nullptr : &found->part;
}

std::string shape_of(const inner::Part& part) {
  return std::to_string(part.rows) + " x " + std::to_string(part.columns);
}

base::Error other_network(const std::string& what) {
  return base::failed_precondition("the checkpoint is of another network: " + what + ": pre-train again, or give [model] the checkpoint's values");
}

base::Status check_parts(const inner::Layout& from, const inner::Layout& to) {
  for (const auto& [name, part] : to.named) {
    const inner::Part* source = find(from, name);
    if (source == nullptr && is_side_table(to, part)) {
      continue;  // of its column the checkpoint knew one value only
    }
    if (source == nullptr) {
      return other_network("it has no " + name);
    }
    const bool grows = is_token_table(to, part) || (is_side_table(to, part) && source->rows <= part.rows);
    const bool fits = source->columns == part.columns || part.offset == to.token_bias.offset;
    if (!fits || (!grows && source->rows != part.rows)) {
      return other_network("its " + name + " is " + shape_of(*source) + ", the network's " + shape_of(part));
    }
  }
  for (const auto& named : from.named) {
    if (find(to, named.name) == nullptr) {
      return other_network("it has " + named.name + ", which the network has not");
    }
  }
  return base::ok_status();
}

}  // namespace

base::Status Model::adopt(const Model& from, std::span<const std::int32_t> row_of) {
  BECKON_CHECK(row_of.size() == tokens());
  if (from.options().arch != options_.arch || from.options().attention_heads != options_.attention_heads) {
    return other_network("it has another arch or number of attention_heads");
  }
  BECKON_TRY_STATUS(check_parts(from.layout(), *layout_));
  for (const auto& [name, part] : layout_->named) {
    const inner::Part* source = find(from.layout(), name);
    if (source != nullptr && !is_token_table(*layout_, part)) {
      std::ranges::copy(inner::part_of(from.weights(), *source), inner::part_of(weights(), part).begin());
    }
  }
  const auto vectors = inner::part_of(weights(), layout_->token);
  const auto biases = inner::part_of(weights(), layout_->token_bias);
  for (std::size_t t = 0; t < row_of.size(); ++t) {
    const auto row = static_cast<std::size_t>(row_of[t]);
    BECKON_CHECK(row < from.tokens());
    if (row > 0 || t == 0) {  // token 0, the unknown item, is the same everywhere
      std::ranges::copy(from.token_embeddings().subspan(row * width(), width()), vectors.subspan(t * width()).begin());
      biases[t] = from.token_bias()[row];
    }
  }
  memory_ = nullptr;
  return base::ok_status();
}

}  // namespace beckon::model
