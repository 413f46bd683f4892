#pragma once
// Private to engine: a network with what its tokens mean and how far it has learned; what fine-tuning starts from.

#include <string>
#include <vector>

#include "scoring.h"

namespace beckon::engine {

struct Pretrained {
  model::Model weights;
  std::vector<std::string> items;   ///< by token; own items as they are, those of other shops as foreign_item() writes them
  features::ItemWords words;        ///< of the side columns
  std::string shop;                 ///< whose own items they are: [shop] name
  base::Instant learned_until;      ///< steps up to here have taught it
  double seconds = 0;               ///< that the training took
};

/// model/pretrained.safetensors (docs/formats/model.md).
std::string pretrained_path(const Context& context);
/// PATH.safetensors with PATH.json beside it: a pre-trained network, or the model.safetensors of any shop. Errors name the file.
base::Result<Pretrained> load_pretrained(const base::FileSystem& files, const std::string& path);
base::Status save_pretrained(Context& context, const Pretrained& pretrained);

/// How an item of another shop is called in a vocabulary of several.
std::string foreign_item(const std::string& shop, const std::string& item);
/// Per token of `vocabulary`, the items of the shop `shop`: the row of `pretrained` that it continues, 0: a new one.
std::vector<std::int32_t> continued_rows(const features::Vocabulary& vocabulary, const std::string& shop, const Pretrained& pretrained);

}  // namespace beckon::engine
