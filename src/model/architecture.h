#pragma once
// From the name of an architecture to its layers.

#include <memory>
#include <vector>

#include "layout.h"

namespace beckon::model::inner {

/// Reserves the parameters of all layers in `layout` and returns the layers in order.
std::vector<std::unique_ptr<const Layer>> make_layers(const ModelOptions& options, Layout& layout);

}  // namespace beckon::model::inner
