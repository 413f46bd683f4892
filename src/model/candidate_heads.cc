#include "beckon/model/candidate_heads.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/json.h"
#include "beckon/base/rng.h"
#include "candidate_net.h"
#include "safetensors.h"

namespace beckon::model {
namespace {

constexpr const char* kFormat = "beckon-candidate-heads-1";
constexpr std::int32_t kCodesMax = 1'000'000;

base::Status validate(const CandidateOptions& options, std::int32_t width) {
  const auto within = [](const char* name, std::int32_t value, std::pair<std::int32_t, std::int32_t> range) {
    return value >= range.first && value <= range.second
               ? base::ok_status()
               : base::Status(base::invalid_argument("candidate heads: " + std::string(name) + " is " + std::to_string(value) + ", it must be " +
                                                     std::to_string(range.first) + " to " + std::to_string(range.second)));
  };
  BECKON_TRY_STATUS(within("width", width, {1, 4096}));
  BECKON_TRY_STATUS(within("heads", options.heads, {1, 64}));
  BECKON_TRY_STATUS(within("attention_width", options.attention_width, {1, 1024}));
  BECKON_TRY_STATUS(within("hidden_width", options.hidden_width, {1, 4096}));
  for (const std::int32_t size : options.context_sizes) {
    BECKON_TRY_STATUS(within("size of a context column", size, {1, kCodesMax}));
  }
  return base::ok_status();
}

base::Json to_json(const CandidateOptions& options, std::int32_t width) {
  return {{"context_sizes", options.context_sizes},  {"heads", options.heads}, {"attention_width", options.attention_width},
          {"hidden_width", options.hidden_width},    {"width", width},         {"squared_error", options.loss == HeadLoss::kSquaredError}};
}

struct Shape {
  CandidateOptions options;
  std::int32_t width = 0;
};
base::Result<Shape> shape_from(const std::string& text) {
  const auto damaged = base::data_loss("the file's configuration is damaged: take a backup or train again");
  const auto json = base::parse_json(text);
  if (!json.ok() || !json->is_object()) {
    return damaged;
  }
  const auto number = [&](const char* key) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(base::int_or(*json, key, -1), -1, kCodesMax + 1));
  };
  Shape out;
  out.options.heads = number("heads");
  out.options.attention_width = number("attention_width");
  out.options.hidden_width = number("hidden_width");
  out.width = number("width");
  out.options.loss = base::bool_or(*json, "squared_error") ? HeadLoss::kSquaredError : HeadLoss::kBinaryCrossEntropy;
  for (const auto& size : json->value("context_sizes", base::Json::array())) {
    if (!size.is_number_integer()) {
      return damaged;
    }
    out.options.context_sizes.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(size.get<std::int64_t>(), -1, kCodesMax + 1)));
  }
  return out;
}

}  // namespace

base::Result<CandidateHeads> CandidateHeads::make(CandidateOptions options, std::int32_t width, std::uint64_t seed) {
  BECKON_TRY_STATUS(validate(options, width));
  CandidateHeads out;
  out.options_ = std::move(options);
  out.width_ = width;
  const inner::CandidateLayout layout(out.options_, static_cast<std::size_t>(width));
  out.weights_.assign(layout.total, 0);
  base::Rng rng(seed);
  const auto fill = [&](const inner::CandidatePart& part, double deviation) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      out.weights_[part.begin + i] = static_cast<float>(rng.normal() * deviation);
    }
  };
  for (const auto& part : layout.context) {
    fill(part, .5);  // beside a candidate of root mean square 1: interactions of codes are to be seen from the start
  }
  // Biases start at 0, and so does what multiplies the logit: nothing is believed before it is learned.
  for (const auto* part : {&layout.query, &layout.key, &layout.inner, &layout.outer}) {
    fill(*part, 1 / std::sqrt(static_cast<double>(part->rows)));
  }
  return out;
}

base::Status CandidateHeads::save(base::FileSystem& files, const std::string& path) const {
  const inner::CandidateLayout layout(options_, static_cast<std::size_t>(width_));
  std::vector<inner::TensorEntry> tensors;
  for (const auto& [name, part] : layout.named()) {
    tensors.push_back({name, {part.rows, part.columns}, weights().subspan(part.begin, part.size())});
  }
  return files.write_atomic(path, inner::write_safetensors(tensors, {{"format", kFormat}, {"config", base::to_line(to_json(options_, width_))}}));
}

base::Result<CandidateHeads> CandidateHeads::load(const base::FileSystem& files, const std::string& path) {
  BECKON_TRY(const std::string bytes, files.read(path));
  const auto file = inner::read_safetensors(bytes);
  if (!file.ok()) {
    return file.error().at(path);
  }
  const auto text = [&](const char* key) { return file->metadata.contains(key) ? file->metadata.at(key) : std::string(); };
  if (text("format") != kFormat) {
    return base::data_loss(path + ": these are no candidate heads of this version: run beckon train again");
  }
  const auto shape = shape_from(text("config"));
  if (!shape.ok()) {
    return shape.error().at(path);
  }
  if (const auto valid = validate(shape->options, shape->width); !valid.ok()) {
    return valid.error().at(path);
  }
  // Before anything is allocated: a hostile configuration may ask for gigabytes that the file does not hold.
  const inner::CandidateLayout layout(shape->options, static_cast<std::size_t>(shape->width));
  if (layout.total * sizeof(float) > bytes.size() || file->tensors.size() != layout.named().size()) {
    return base::data_loss(path + ": holds other tensors than its configuration says: take a backup or train again");
  }
  CandidateHeads out;
  out.options_ = shape->options;
  out.width_ = shape->width;
  out.weights_.resize(layout.total);
  for (const auto& [name, part] : layout.named()) {
    if (const auto copied = file->copy(name, {part.rows, part.columns}, out.weights().subspan(part.begin, part.size())); !copied.ok()) {
      return copied.error().at(path);
    }
  }
  if (!std::all_of(out.weights_.begin(), out.weights_.end(), [](float value) { return std::isfinite(value); })) {
    return base::data_loss(path + ": holds values that are no numbers: take a backup or train again");
  }
  return out;
}

base::Status CandidateHeads::check(const Model& model, std::size_t histories, const CandidateQuestions& questions) const {
  const std::size_t columns = options_.context_sizes.size();
  if (model.width() != static_cast<std::size_t>(width_)) {
    return base::failed_precondition("the candidate heads were trained for a network of width " + std::to_string(width_) + ", this one has " +
                                     std::to_string(model.width()) + ": train them again");
  }
  if (questions.history.size() != questions.size() || questions.context.size() != questions.size() * columns ||
      (!questions.label.empty() && questions.label.size() != questions.size() * static_cast<std::size_t>(options_.heads))) {
    return base::invalid_argument("candidate questions: the columns differ in length");
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const bool in_order = i == 0 || questions.history[i - 1] <= questions.history[i];
    if (questions.history[i] < 0 || static_cast<std::size_t>(questions.history[i]) >= histories || !in_order) {
      return base::invalid_argument("candidate question " + std::to_string(i) + ": history " + std::to_string(questions.history[i]) +
                                    " is not one of " + std::to_string(histories) + ", or out of order");
    }
    if (questions.token[i] < 0 || static_cast<std::size_t>(questions.token[i]) >= model.tokens()) {
      return base::invalid_argument("candidate question " + std::to_string(i) + ": token " + std::to_string(questions.token[i]) +
                                    " is not below " + std::to_string(model.tokens()));
    }
    for (std::size_t k = 0; k < columns; ++k) {
      const std::int32_t code = questions.context[i * columns + k];
      if (code < 0 || code >= options_.context_sizes[k]) {
        return base::invalid_argument("candidate question " + std::to_string(i) + ": context column " + std::to_string(k) + " is " +
                                      std::to_string(code) + ", it must be below " + std::to_string(options_.context_sizes[k]));
      }
    }
  }
  return base::ok_status();
}

base::Result<std::vector<float>> CandidateHeads::logits(const Model& model, std::span<const Sequence> histories,
                                                        const CandidateQuestions& questions, base::Executor& executor) const {
  BECKON_TRY_STATUS(check(model, histories.size(), questions));
  const inner::CandidateLayout layout(options_, static_cast<std::size_t>(width_));
  const auto blocks = inner::blocks_of(questions);
  const auto heads = static_cast<std::size_t>(options_.heads);
  std::vector<float> out(questions.size() * heads);
  constexpr std::size_t kTile = 32;  // blocks that share a work space
  executor.run((blocks.size() + kTile - 1) / kTile, [&](std::size_t tile) {
    inner::CandidatePass pass(options_, layout);
    for (std::size_t b = tile * kTile; b < std::min(blocks.size(), (tile + 1) * kTile); ++b) {
      const auto history = inner::candidate_history(model, histories[blocks[b].history]);
      const auto answer = pass.forward(weights_, history, {&model, &questions, blocks[b].first, blocks[b].count, {}});
      std::copy(answer.begin(), answer.end(), out.begin() + static_cast<std::ptrdiff_t>(blocks[b].first * heads));
    }
  });
  return out;
}

}  // namespace beckon::model
