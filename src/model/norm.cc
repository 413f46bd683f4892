#include "norm.h"

namespace beckon::model::inner {

void norm_forward(const Network& net, const NormParts& parts, std::span<const float> x, NormCache& out) {
  const std::size_t rows = x.size() / parts.gain->columns;
  out.y.resize(x.size());
  out.mean.resize(rows);
  out.inverse.resize(rows);
  tensor::layer_norm_forward(
      {x, net.at(*parts.gain), net.at(*parts.shift), out.y.span(), out.mean.span(), out.inverse.span()});
}

void norm_backward(const Network& net, const NormParts& parts, const NormBackward& io) {
  tensor::layer_norm_backward({io.x, net.at(*parts.gain), io.cache->mean.span(), io.cache->inverse.span(), io.dy, io.dx,
                               part_of(io.gradients, *parts.gain), part_of(io.gradients, *parts.shift)});
}

}  // namespace beckon::model::inner
