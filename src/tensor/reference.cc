#include "beckon/tensor/reference.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace beckon::tensor::reference {
namespace {

double element(const MatrixView& m, std::size_t row, std::size_t column) {
  const std::size_t r = m.transposed ? column : row;
  const std::size_t c = m.transposed ? row : column;
  return static_cast<double>(m.data[r * m.stride + c]);
}

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

float to_float(double x) {
  return static_cast<float>(x);
}
double real(float x) {
  return static_cast<double>(x);
}

std::size_t at(std::span<const std::int32_t> index, std::size_t i) {
  return static_cast<std::size_t>(index[i]);
}

}  // namespace

void gemm(const MatrixView& a, const MatrixView& b, const MutableMatrix& c, Into into) {
  const std::size_t depth = a.transposed ? a.rows : a.columns;
  for (std::size_t i = 0; i < c.rows; ++i) {
    for (std::size_t j = 0; j < c.columns; ++j) {
      float& out = c.data[i * c.stride + j];
      double sum = into == Into::kAdd ? real(out) : 0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += element(a, i, k) * element(b, k, j);
      }
      out = to_float(sum);
    }
  }
}

float dropout_factor(const Dropout& dropout, std::uint32_t element_index) {
  std::uint32_t x = (dropout.first + element_index) * 0x9E3779B9U + dropout.key;
  x = (x ^ (x >> 16U)) * 0x7FEB352DU;
  x = (x ^ (x >> 15U)) * 0x846CA68BU;
  x ^= x >> 16U;
  return real(static_cast<float>(x >> 1U)) < real(dropout.rate * 2147483648.0F) ? 0.0F : 1.0F / (1.0F - dropout.rate);
}

void apply_dropout(const Dropout& dropout, std::span<float> x) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] *= dropout_factor(dropout, static_cast<std::uint32_t>(i));
  }
}

void layer_norm_forward(const LayerNormForward& io) {
  const std::size_t width = io.gain.size();
  for (std::size_t r = 0; r < io.mean.size(); ++r) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < width; ++i) {
      sum += real(io.x[r * width + i]);
    }
    const double mean = sum / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) {
      squares += std::pow(real(io.x[r * width + i]) - mean, 2);
    }
    const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(width) + 1e-5);
    io.mean[r] = to_float(mean);
    io.inverse_deviation[r] = to_float(inverse);
    for (std::size_t i = 0; i < width; ++i) {
      io.y[r * width + i] = to_float((real(io.x[r * width + i]) - mean) * inverse * real(io.gain[i]) + real(io.shift[i]));
    }
  }
}

void layer_norm_backward(const LayerNormBackward& io) {
  const std::size_t width = io.gain.size();
  for (std::size_t r = 0; r < io.mean.size(); ++r) {
    const auto normal = [&](std::size_t i) {
      return (real(io.x[r * width + i]) - real(io.mean[r])) * real(io.inverse_deviation[r]);
    };
    const auto slope = [&](std::size_t i) { return real(io.dy[r * width + i]) * real(io.gain[i]); };
    double mean_d = 0;
    double mean_dn = 0;
    for (std::size_t i = 0; i < width; ++i) {
      mean_d += slope(i) / static_cast<double>(width);
      mean_dn += slope(i) * normal(i) / static_cast<double>(width);
    }
    for (std::size_t i = 0; i < width; ++i) {
      io.dx[r * width + i] += to_float(real(io.inverse_deviation[r]) * (slope(i) - mean_d - normal(i) * mean_dn));
      io.dgain[i] += to_float(real(io.dy[r * width + i]) * normal(i));
      io.dshift[i] += io.dy[r * width + i];
    }
  }
}

void swiglu_forward(std::span<const float> up, std::size_t width, const Dropout& dropout, std::span<float> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t left = i / width * 2 * width + i % width;
    const double a = real(up[left]);
    y[i] = to_float(a * sigmoid(a) * real(up[left + width]));
  }
  reference::apply_dropout(dropout, y);
}

void swiglu_backward(const SwigluBackward& io) {
  for (std::size_t i = 0; i < io.dy.size(); ++i) {
    const std::size_t left = i / io.width * 2 * io.width + i % io.width;
    const double a = real(io.up[left]);
    const double s = sigmoid(a);
    const double d = real(io.dy[i]) * real(dropout_factor(io.dropout, static_cast<std::uint32_t>(i)));
    io.dup[left] = to_float(d * real(io.up[left + io.width]) * s * (1 + a * (1 - s)));
    io.dup[left + io.width] = to_float(d * a * s);
  }
}

void relu_forward(std::span<const float> up, const Dropout& dropout, std::span<float> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = std::max(up[i], 0.0F) * dropout_factor(dropout, static_cast<std::uint32_t>(i));
  }
}

void relu_backward(std::span<const float> up, const Dropout& dropout, std::span<const float> dy, std::span<float> dup) {
  for (std::size_t i = 0; i < dy.size(); ++i) {
    dup[i] = up[i] > 0 ? dy[i] * dropout_factor(dropout, static_cast<std::uint32_t>(i)) : 0.0F;
  }
}

void gated_residual_forward(const GatedResidualForward& io) {
  for (std::size_t i = 0; i < io.x.size(); ++i) {
    io.gate[i] = to_float(sigmoid(real(io.gate[i])));
    io.y[i] = io.x[i] + io.gate[i] * io.branch[i] * dropout_factor(io.dropout, static_cast<std::uint32_t>(i));
  }
}

void gated_residual_backward(const GatedResidualBackward& io) {
  for (std::size_t i = 0; i < io.dy.size(); ++i) {
    const float d = io.dy[i] * dropout_factor(io.dropout, static_cast<std::uint32_t>(i));
    io.dbranch[i] = d * io.gate[i];
    io.dgate[i] = d * io.branch[i] * io.gate[i] * (1 - io.gate[i]);
  }
}

void gather_add(const RowTable& rows, std::span<const float> table, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] += rows.scale * table[at(rows.index, i / rows.width * rows.index_stride) * rows.width + i % rows.width];
  }
}

void scatter_add(const RowTable& rows, std::span<const float> x, std::span<float> table) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    table[at(rows.index, i / rows.width * rows.index_stride) * rows.width + i % rows.width] += rows.scale * x[i];
  }
}

void softmax_tile(const SoftmaxTile& tile, std::span<float> row_max, std::span<float> row_sum) {
  for (std::size_t r = 0; r < row_max.size(); ++r) {
    const auto row = tile.logits.subspan(r * tile.columns, tile.columns);
    for (std::size_t i = 0; i < tile.columns; ++i) {
      row[i] += tile.bias[i];
    }
    row_max[r] = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (float& value : row) {
      value = std::exp(value - row_max[r]);
      sum += real(value);
    }
    row_sum[r] = to_float(sum);
  }
}

void attention_forward(const AttentionForward& io) {
  const auto& shape = io.shape;
  const std::size_t head_width = shape.width / shape.heads;
  const auto qkv = [&](std::size_t part, std::size_t row, std::size_t column) {
    return real(io.qkv[row * 3 * shape.width + part * shape.width + column]);
  };
  for (std::size_t h = 0; h < shape.heads; ++h) {
    for (std::size_t i = io.first_query; i < shape.length; ++i) {
      std::vector<double> weight(shape.length, 0.0);
      double total = 0;
      for (std::size_t j = 0; j <= i; ++j) {
        double logit = 0;
        for (std::size_t c = h * head_width; c < (h + 1) * head_width; ++c) {
          logit += qkv(0, i, c) * qkv(1, j, c);
        }
        logit /= std::sqrt(static_cast<double>(head_width));
        logit += shape.bias_stride > 0 ? real(io.bias[h * shape.bias_stride + i - j]) : 0;
        logit += shape.bucket_count > 0 ? real(io.bucket_bias[h * shape.bucket_count + io.bucket[i * shape.length + j]]) : 0;
        weight[j] = std::exp(logit);
        total += weight[j];
      }
      for (std::size_t j = 0; j < shape.length; ++j) {
        io.probabilities[(h * shape.length + i) * shape.length + j] = to_float(weight[j] / total);
      }
      for (std::size_t c = h * head_width; c < (h + 1) * head_width; ++c) {
        double sum = 0;
        for (std::size_t j = 0; j <= i; ++j) {
          sum += weight[j] / total * qkv(2, j, c);
        }
        io.out[i * shape.width + c] = to_float(sum);
      }
    }
  }
}

void attention_backward(const AttentionBackward& io) {
  const auto& shape = io.shape;
  const std::size_t head_width = shape.width / shape.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  const auto place = [&](std::size_t part, std::size_t row, std::size_t column) {
    return row * 3 * shape.width + part * shape.width + column;
  };
  std::vector<double> dqkv(io.dqkv.size(), 0.0);
  for (std::size_t h = 0; h < shape.heads; ++h) {
    for (std::size_t i = 0; i < shape.length; ++i) {
      std::vector<double> dp(shape.length, 0.0);
      double mean = 0;
      const auto p = [&](std::size_t j) { return real(io.probabilities[(h * shape.length + i) * shape.length + j]); };
      for (std::size_t j = 0; j <= i; ++j) {
        for (std::size_t c = h * head_width; c < (h + 1) * head_width; ++c) {
          dp[j] += real(io.dout[i * shape.width + c]) * real(io.qkv[place(2, j, c)]);
        }
        mean += p(j) * dp[j];
      }
      for (std::size_t j = 0; j <= i; ++j) {
        const double ds = p(j) * (dp[j] - mean);
        if (shape.bias_stride > 0) {
          io.dbias[h * shape.bias_stride + i - j] += to_float(ds);
        }
        if (shape.bucket_count > 0) {
          io.dbucket_bias[h * shape.bucket_count + io.bucket[i * shape.length + j]] += to_float(ds);
        }
        for (std::size_t c = h * head_width; c < (h + 1) * head_width; ++c) {
          dqkv[place(0, i, c)] += scale * ds * real(io.qkv[place(1, j, c)]);
          dqkv[place(1, j, c)] += scale * ds * real(io.qkv[place(0, i, c)]);
          dqkv[place(2, j, c)] += p(j) * real(io.dout[i * shape.width + c]);
        }
      }
    }
  }
  std::transform(dqkv.begin(), dqkv.end(), io.dqkv.begin(), to_float);
}

void adam(const AdamStep& step, const AdamState& state) {
  for (std::size_t i = 0; i < state.weight.size(); ++i) {
    const double g = real(state.gradient[i]) * real(step.gradient_scale);
    const double m = real(step.beta1) * real(state.first[i]) + (1 - real(step.beta1)) * g;
    const double v = real(step.beta2) * real(state.second[i]) + (1 - real(step.beta2)) * g * g;
    state.first[i] = to_float(m);
    state.second[i] = to_float(v);
    state.weight[i] -= to_float(real(step.learning_rate) * (m / real(step.correction1)) /
                                (std::sqrt(v / real(step.correction2)) + real(step.epsilon)));
  }
}

}  // namespace beckon::tensor::reference
