#include "candidate_net.h"

#include <algorithm>
#include <cmath>

#include "head_loss.h"
#include "time_bucket.h"

namespace beckon::model::inner {
namespace {

using tensor::Into;
using tensor::mutable_view;
using tensor::view;

std::span<const float> at(std::span<const float> weights, const CandidatePart& part) { return weights.subspan(part.begin, part.size()); }
std::span<float> at(std::span<float> weights, const CandidatePart& part) { return weights.subspan(part.begin, part.size()); }

// out = the token's vector over its root mean square: trained networks differ a lot in how long their vectors are.
void normal_token(const Model& model, std::size_t token, std::span<float> out) {
  const auto vector = model.token_embeddings().subspan(token * model.width(), model.width());
  const double square = tensor::sum_of_squares(vector) / static_cast<double>(vector.size());
  std::fill(out.begin(), out.end(), 0.0F);
  tensor::add_scaled(vector, static_cast<float>(1 / std::sqrt(square + 1e-12)), out);
}

}  // namespace

CandidateLayout::CandidateLayout(const CandidateOptions& options, std::size_t w)
    : width(w), heads(static_cast<std::size_t>(options.heads)), attention(static_cast<std::size_t>(options.attention_width)),
      hidden(static_cast<std::size_t>(options.hidden_width)), features(6 * w) {
  const auto take = [&](std::size_t rows, std::size_t columns) {
    const CandidatePart part{total, rows, columns};
    total += part.size();
    return part;
  };
  for (const std::int32_t size : options.context_sizes) {
    context.push_back(take(static_cast<std::size_t>(size), width));
  }
  query = take(width, attention);
  key = take(2 * width, attention);
  age = take(1, kTimeBuckets);
  inner = take(features, hidden);
  inner_bias = take(1, hidden);
  outer = take(hidden, heads);
  outer_bias = take(1, heads);
  token_logit = take(1, heads);
}

std::vector<std::pair<std::string, CandidatePart>> CandidateLayout::named() const {
  std::vector<std::pair<std::string, CandidatePart>> out;
  for (std::size_t c = 0; c < context.size(); ++c) {
    out.emplace_back("context." + std::to_string(c) + ".weight", context[c]);
  }
  const std::vector<std::pair<std::string, CandidatePart>> rest{
      {"query.weight", query}, {"key.weight", key}, {"age.bias", age}, {"inner.weight", inner}, {"inner.bias", inner_bias},
      {"outer.weight", outer}, {"outer.bias", outer_bias}, {"token_logit.weight", token_logit}};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::vector<HistoryBlock> blocks_of(const CandidateQuestions& questions) {
  std::vector<HistoryBlock> out;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto history = static_cast<std::size_t>(questions.history[i]);
    if (out.empty() || out.back().history != history) {
      out.push_back({history, i, 0});
    }
    ++out.back().count;
  }
  return out;
}

CandidateHistory candidate_history(const Model& model, const Sequence& sequence) {
  const std::size_t width = model.width();
  const std::size_t longest = static_cast<std::size_t>(model.options().length_max);
  const std::size_t from = sequence.length() > longest ? sequence.length() - longest : 0;
  const std::size_t columns = model.options().side_sizes.size();
  Sequence last;
  const auto tail = [&](const auto& values, std::size_t each) {
    return std::remove_cvref_t<decltype(values)>(values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), from * each)), values.end());
  };
  last.token = tail(sequence.token, 1);
  last.side = tail(sequence.side, columns);
  last.at_ms = tail(sequence.at_ms, 1);
  last.request_ms = tail(sequence.request_ms, 1);
  if (last.token.empty()) {  // as Model::encode reads an empty history
    last.token.assign(1, 0);
    last.side.assign(columns, 0);
  }
  CandidateHistory out;
  out.length = last.length();
  const std::vector<float> encoded = model.encode_positions(last);
  out.states.resize(out.length * 2 * width);
  for (std::size_t j = 0; j < out.length; ++j) {
    tensor::add_scaled(std::span(encoded).subspan(j * width, width), 1, std::span(out.states).subspan(2 * j * width, width));
    normal_token(model, static_cast<std::size_t>(last.token[j]), std::span(out.states).subspan((2 * j + 1) * width, width));
  }
  for (const std::int64_t when : last.at_ms) {
    out.age_bucket.push_back(time_bucket(last.request_ms.back() - when));
  }
  return out;
}

void CandidatePass::gather(std::span<const float> weights, const CandidateBlock& block) {
  const std::size_t width = layout_.width;
  const std::size_t columns = layout_.context.size();
  const CandidateQuestions& questions = *block.questions;
  candidate_.resize(block.count * width);
  asked_.resize(block.count * width);
  for (std::size_t i = 0; i < block.count; ++i) {
    const auto token = static_cast<std::size_t>(questions.token[block.first + i]);
    const auto c = candidate_.span().subspan(i * width, width);
    normal_token(*block.model, token, c);
    std::copy(c.begin(), c.end(), asked_.data() + i * width);
    for (std::size_t k = 0; k < columns; ++k) {
      const auto code = static_cast<std::size_t>(questions.context[(block.first + i) * columns + k]);
      tensor::add_scaled(at(weights, layout_.context[k]).subspan(code * width, width), 1, asked_.span().subspan(i * width, width));
    }
  }
}

void CandidatePass::attend(std::span<const float> weights, const CandidateHistory& history, std::size_t count) {
  const std::size_t a = layout_.attention;
  const std::size_t length = history.length;
  const auto states = view(history.states, length, 2 * layout_.width);
  query_.resize(count * a);
  key_.resize(length * a);
  alpha_.resize(count * length);
  read_.resize(count * 2 * layout_.width);
  tensor::gemm(view(asked_.span(), count, layout_.width), view(at(weights, layout_.query), layout_.width, a), mutable_view(query_.span(), count, a));
  tensor::gemm(states, view(at(weights, layout_.key), 2 * layout_.width, a), mutable_view(key_.span(), length, a));
  tensor::gemm(view(query_.span(), count, a), view(key_.span(), length, a).t(), mutable_view(alpha_.span(), count, length));
  const float scale = 1 / std::sqrt(static_cast<float>(a));
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = alpha_.span().subspan(i * length, length);
    for (std::size_t j = 0; j < length; ++j) {
      row[j] = row[j] * scale + (history.age_bucket.empty() ? 0 : at(weights, layout_.age)[history.age_bucket[j]]);
    }
    const float top = *std::max_element(row.begin(), row.end());
    float sum = 0;
    for (float& value : row) {
      value = tensor::fast_exp(value - top);
      sum += value;
    }
    for (float& value : row) {
      value /= sum;
    }
  }
  tensor::gemm(view(alpha_.span(), count, length), states, mutable_view(read_.span(), count, 2 * layout_.width));
}

// f = [x, e, e ⊙ c, r_state, r_token, r_token ⊙ c]
void CandidatePass::assemble(const CandidateHistory& history, std::size_t count) {
  const std::size_t width = layout_.width;
  const auto e = std::span(history.states).subspan((history.length - 1) * 2 * width, width);
  features_.resize(count * layout_.features);
  for (std::size_t i = 0; i < count; ++i) {
    float* f = features_.data() + i * layout_.features;
    const float* x = asked_.data() + i * width;
    const float* c = candidate_.data() + i * width;
    const float* r = read_.data() + i * 2 * width;
    for (std::size_t d = 0; d < width; ++d) {
      f[d] = x[d];
      f[width + d] = e[d];
      f[2 * width + d] = e[d] * c[d];
      f[3 * width + d] = r[d];
      f[4 * width + d] = r[width + d];
      f[5 * width + d] = r[width + d] * c[d];
    }
  }
}

std::span<const float> CandidatePass::forward(std::span<const float> weights, const CandidateHistory& history, const CandidateBlock& block) {
  const std::size_t count = block.count;
  gather(weights, block);
  attend(weights, history, count);
  assemble(history, count);
  const auto e = std::span(history.states).subspan((history.length - 1) * 2 * layout_.width, layout_.width);
  token_logit_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto token = static_cast<std::size_t>(block.questions->token[block.first + i]);
    token_logit_[i] = tensor::dot(e, block.model->token_embeddings().subspan(token * layout_.width, layout_.width)) + block.model->token_bias()[token];
  }
  hidden_.resize(count * layout_.hidden);
  logits_.resize(count * layout_.heads);
  tensor::gemm(view(features_.span(), count, layout_.features), view(at(weights, layout_.inner), layout_.features, layout_.hidden),
               mutable_view(hidden_.span(), count, layout_.hidden));
  tensor::add_bias(at(weights, layout_.inner_bias), hidden_.span());
  for (float& value : hidden_.span()) {
    value = std::max(value, 0.0F);
  }
  tensor::apply_dropout(block.dropout, hidden_.span());
  tensor::gemm(view(hidden_.span(), count, layout_.hidden), view(at(weights, layout_.outer), layout_.hidden, layout_.heads),
               mutable_view(logits_.span(), count, layout_.heads));
  tensor::add_bias(at(weights, layout_.outer_bias), logits_.span());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t h = 0; h < layout_.heads; ++h) {
      logits_[i * layout_.heads + h] += token_logit_[i] * at(weights, layout_.token_logit)[h];
    }
  }
  return logits_.span();
}

double CandidatePass::loss(const CandidateBlock& block) {
  const auto loss_of = loss_function(options_.loss);
  const std::size_t heads = layout_.heads;
  double sum = 0;
  dlogits_.resize(block.count * heads);
  for (std::size_t i = 0; i < block.count * heads; ++i) {
    const std::int8_t label = block.questions->label[block.first * heads + i];
    const auto here = loss_of(static_cast<double>(logits_[i]), label > 0 ? 1 : 0);
    const double weight = label < 0 ? 0 : block.head_weight.empty() ? 1 : block.head_weight[i % heads];
    sum += weight * here.loss;
    dlogits_[i] = static_cast<float>(weight * here.slope);
  }
  return sum;
}

// Gradients of x and of r from the six blocks of f; e and c belong to the frozen network.
void CandidatePass::split_feature_gradient(std::size_t count) {
  const std::size_t width = layout_.width;
  dasked_.resize(count * width);
  dread_.resize(count * 2 * width);
  for (std::size_t i = 0; i < count; ++i) {
    const float* df = dfeatures_.data() + i * layout_.features;
    const float* c = candidate_.data() + i * width;
    for (std::size_t d = 0; d < width; ++d) {
      dasked_[i * width + d] = df[d];
      dread_[i * 2 * width + d] = df[3 * width + d];
      dread_[i * 2 * width + width + d] = df[4 * width + d] + df[5 * width + d] * c[d];
    }
  }
}

void CandidatePass::attention_backward(std::span<const float> weights, const CandidateHistory& history, std::size_t count,
                                       std::span<float> gradients) {
  const std::size_t a = layout_.attention;
  const std::size_t length = history.length;
  const auto states = view(history.states, length, 2 * layout_.width);
  dalpha_.resize(count * length);
  tensor::gemm(view(dread_.span(), count, 2 * layout_.width), states.t(), mutable_view(dalpha_.span(), count, length));
  const float scale = 1 / std::sqrt(static_cast<float>(a));
  for (std::size_t i = 0; i < count; ++i) {
    const auto alpha = alpha_.span().subspan(i * length, length);
    const auto dalpha = dalpha_.span().subspan(i * length, length);
    const float mean = tensor::dot(alpha, dalpha);
    for (std::size_t j = 0; j < length; ++j) {
      const float dlogit = alpha[j] * (dalpha[j] - mean);
      if (!history.age_bucket.empty()) {
        at(gradients, layout_.age)[history.age_bucket[j]] += dlogit;
      }
      dalpha[j] = dlogit * scale;
    }
  }
  dquery_.resize(count * a);
  dkey_.resize(length * a);
  const auto dlogits = view(dalpha_.span(), count, length);
  tensor::gemm(dlogits, view(key_.span(), length, a), mutable_view(dquery_.span(), count, a));
  tensor::gemm(dlogits.t(), view(query_.span(), count, a), mutable_view(dkey_.span(), length, a));
  const auto dquery = view(dquery_.span(), count, a);
  tensor::gemm(view(asked_.span(), count, layout_.width).t(), dquery, mutable_view(at(gradients, layout_.query), layout_.width, a), Into::kAdd);
  tensor::gemm(states.t(), view(dkey_.span(), length, a), mutable_view(at(gradients, layout_.key), 2 * layout_.width, a), Into::kAdd);
  tensor::gemm(dquery, view(at(weights, layout_.query), layout_.width, a).t(), mutable_view(dasked_.span(), count, layout_.width), Into::kAdd);
}

double CandidatePass::backward(std::span<const float> weights, const CandidateHistory& history, const CandidateBlock& block,
                               std::span<float> gradients) {
  const std::size_t count = block.count;
  const double total = loss(block);
  const auto dlogits = view(dlogits_.span(), count, layout_.heads);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t h = 0; h < layout_.heads; ++h) {
      at(gradients, layout_.token_logit)[h] += dlogits_[i * layout_.heads + h] * token_logit_[i];
    }
  }
  tensor::gemm(view(hidden_.span(), count, layout_.hidden).t(), dlogits, mutable_view(at(gradients, layout_.outer), layout_.hidden, layout_.heads),
               Into::kAdd);
  tensor::add_column_sums(dlogits_.span(), at(gradients, layout_.outer_bias));
  dhidden_.resize(count * layout_.hidden);
  tensor::gemm(dlogits, view(at(weights, layout_.outer), layout_.hidden, layout_.heads).t(), mutable_view(dhidden_.span(), count, layout_.hidden));
  tensor::apply_dropout(block.dropout, dhidden_.span());
  for (std::size_t i = 0; i < dhidden_.size(); ++i) {
    dhidden_[i] = hidden_[i] > 0 ? dhidden_[i] : 0;
  }
  const auto dhidden = view(dhidden_.span(), count, layout_.hidden);
  tensor::gemm(view(features_.span(), count, layout_.features).t(), dhidden,
               mutable_view(at(gradients, layout_.inner), layout_.features, layout_.hidden), Into::kAdd);
  tensor::add_column_sums(dhidden_.span(), at(gradients, layout_.inner_bias));
  dfeatures_.resize(count * layout_.features);
  tensor::gemm(dhidden, view(at(weights, layout_.inner), layout_.features, layout_.hidden).t(),
               mutable_view(dfeatures_.span(), count, layout_.features));
  split_feature_gradient(count);
  attention_backward(weights, history, count, gradients);
  const std::size_t columns = layout_.context.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < columns; ++k) {
      const auto code = static_cast<std::size_t>(block.questions->context[(block.first + i) * columns + k]);
      tensor::add_scaled(dasked_.span().subspan(i * layout_.width, layout_.width), 1,
                         at(gradients, layout_.context[k]).subspan(code * layout_.width, layout_.width));
    }
  }
  return total;
}

}  // namespace beckon::model::inner
