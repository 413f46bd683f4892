// More tokens for a trained model.

#include <algorithm>

#include "layout.h"
#include "memory.h"
#include "options.h"

namespace beckon::model {

base::Result<Model> Model::with_tokens(std::int32_t tokens) const {
  BECKON_CHECK(tokens >= options_.tokens);
  ModelOptions options = options_;
  options.tokens = tokens;
  options.loss = resolved_loss(options_);  // `auto` looks at the number of tokens
  BECKON_TRY(Model out, make(options, 0));
  for (const auto& [name, part] : layout_->named) {
    const auto to = std::ranges::find(out.layout().named, name, &inner::NamedPart::name);
    BECKON_CHECK(to != out.layout().named.end());
    std::ranges::copy(inner::part_of(weights(), part), inner::part_of(out.weights(), to->part).begin());
  }
  const auto fresh = out.tokens() - this->tokens();
  const auto vectors = inner::part_of(out.weights(), out.layout().token);
  std::ranges::fill(vectors.last(fresh * width()), 0.0F);
  std::ranges::fill(inner::part_of(out.weights(), out.layout().token_bias).last(fresh), 0.0F);
  if (memory_ != nullptr && uses_memory(options)) {
    inner::Memory::Table table = memory_->table();
    table.row_size.resize(out.tokens(), 0);
    table.total.resize(out.tokens(), 0.0F);
    BECKON_TRY(auto memory, inner::Memory::from_table(std::move(table), out.tokens()));
    out.set_memory(std::make_shared<const inner::Memory>(std::move(memory)));
  }
  return out;
}

void Model::set_token(std::int32_t token, std::span<const float> vector, float bias) {
  BECKON_CHECK(token >= 0 && token < options_.tokens && vector.size() == width());
  const auto row = static_cast<std::size_t>(token);
  std::ranges::copy(vector, inner::part_of(weights(), layout_->token).subspan(row * width()).begin());
  inner::part_of(weights(), layout_->token_bias)[row] = bias;
}

}  // namespace beckon::model
