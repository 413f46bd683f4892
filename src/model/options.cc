#include "options.h"

#include <cmath>

#include "beckon/base/json.h"
#include "beckon/tensor/tensor.h"

namespace beckon::model {
namespace {

template <class T>
base::Status in_range(const char* name, T value, T from, T to) {
  // A value that is not a number fails both comparisons.
  if (value >= from && value <= to) {
    return base::ok_status();
  }
  return base::invalid_argument(std::string(name) + " is " + std::to_string(value) + ": choose a value from " +
                                std::to_string(from) + " to " + std::to_string(to));
}

template <class T>
struct Name {
  T value;
  const char* text;
};
constexpr Name<Arch> kArchs[] = {{Arch::kLigr, "ligr"}, {Arch::kSasrec, "sasrec"}, {Arch::kRnn, "rnn"}, {Arch::kGru, "gru"},
                                 {Arch::kLstm, "lstm"}};
constexpr Name<Positions> kPositions[] = {{Positions::kAuto, "auto"},
                                          {Positions::kNone, "none"},
                                          {Positions::kDistance, "distance"},
                                          {Positions::kAbsolute, "absolute"}};
constexpr Name<LossKind> kLosses[] = {{LossKind::kAuto, "auto"},
                                      {LossKind::kFullSoftmax, "full"},
                                      {LossKind::kSampledSoftmax, "sampled"},
                                      {LossKind::kGbce, "gbce"},
                                      {LossKind::kBce, "bce"}};
constexpr Name<HeadLoss> kHeadLosses[] = {{HeadLoss::kBinaryCrossEntropy, "binary_cross_entropy"},
                                          {HeadLoss::kSquaredError, "squared_error"}};
constexpr Name<Precision> kPrecisions[] = {{Precision::kAuto, "auto"}, {Precision::kFp32, "fp32"}, {Precision::kBf16, "bf16"}};

template <class T, std::size_t kCount>
std::string name_of(const Name<T> (&names)[kCount], T value) {
  for (const auto& name : names) {
    if (name.value == value) {
      return name.text;
    }
  }
  return "";
}

template <class T, std::size_t kCount>
base::Result<T> named(const Name<T> (&names)[kCount], const char* field, const std::string& text) {
  std::string known;
  for (const auto& name : names) {
    if (text == name.text) {
      return name.value;
    }
    known += (known.empty() ? "" : ", ") + std::string(name.text);
  }
  return base::invalid_argument(std::string(field) + " is '" + text.substr(0, 40) + "': choose one of " + known);
}

constexpr std::int32_t kFullSoftmaxTokensMax = 30'000;
constexpr std::int32_t kMemoryTokensMax = 16'000'000;  // followers are saved as floats
constexpr std::int64_t kWeightsMax = 4'000'000'000;

}  // namespace

base::Status validate(const ModelOptions& o) {
  BECKON_TRY_STATUS(in_range("tokens", o.tokens, 2, 20'000'000));
  BECKON_TRY_STATUS(in_range("number of side columns", o.side_sizes.size(), std::size_t{0}, std::size_t{256}));
  std::int64_t rows = o.tokens;
  for (const std::int32_t size : o.side_sizes) {
    BECKON_TRY_STATUS(in_range("side_sizes", size, 1, 20'000'000));
    rows += size;
  }
  BECKON_TRY_STATUS(in_range("heads", o.heads, 0, 256));
  BECKON_TRY_STATUS(in_range("attention_heads", o.attention_heads, 1, 64));
  BECKON_TRY_STATUS(in_range("width", o.width, 8, 2048));
  if (o.width % (8 * o.attention_heads) != 0) {
    return base::invalid_argument("width is " + std::to_string(o.width) +
                                  ": choose a multiple of 8 x attention_heads = " + std::to_string(8 * o.attention_heads));
  }
  BECKON_TRY_STATUS(in_range("layers", o.layers, 1, 32));
  BECKON_TRY_STATUS(in_range("feed_forward_width", o.feed_forward_width, 0, 16'384));
  BECKON_TRY_STATUS(in_range("length_max", o.length_max, 1, 4096));
  BECKON_TRY_STATUS(in_range("dropout", o.dropout, 0.0F, .95F));
  BECKON_TRY_STATUS(in_range("memory_dropout", o.memory_dropout, 0.0F, .95F));
  BECKON_TRY_STATUS(in_range("negatives", o.negatives, 0, 1'000'000));
  BECKON_TRY_STATUS(in_range("gbce_calibration", o.gbce_calibration, 0.0F, 1.0F));
  BECKON_TRY_STATUS(in_range("head_weight", o.head_weight, 0.0F, 1000.0F));
  return in_range("number of embedding weights", rows * o.width, std::int64_t{1}, kWeightsMax);
}

LossKind resolved_loss(const ModelOptions& options) {
  if (options.loss != LossKind::kAuto) {
    return options.loss;
  }
  return options.tokens <= kFullSoftmaxTokensMax ? LossKind::kFullSoftmax : LossKind::kSampledSoftmax;
}

bool uses_memory(const ModelOptions& options) {
  const LossKind loss = resolved_loss(options);
  const bool softmax = loss == LossKind::kFullSoftmax || loss == LossKind::kSampledSoftmax;
  return options.memory && softmax && options.tokens <= kMemoryTokensMax;
}

std::int32_t resolved_negatives(const ModelOptions& options) {
  if (options.negatives > 0) {
    return options.negatives;
  }
  const LossKind loss = resolved_loss(options);
  return loss == LossKind::kBce ? 1 : loss == LossKind::kGbce ? 256 : 1024;
}

base::Result<Arch> arch_from(const std::string& name) {
  return named(kArchs, "arch", name);
}
base::Result<LossKind> loss_from(const std::string& name) {
  return named(kLosses, "loss", name);
}
base::Result<Precision> precision_from(const std::string& name) {
  return named(kPrecisions, "precision", name);
}

base::Status validate(const TrainOptions& o) {
  BECKON_TRY_STATUS(in_range("epochs_max", o.epochs_max, 1, 1'000'000));
  BECKON_TRY_STATUS(in_range("batch_positions", o.batch_positions, std::size_t{1}, std::size_t{1'000'000}));
  BECKON_TRY_STATUS(in_range("learning_rate", o.learning_rate, 1e-7F, 1.0F));
  BECKON_TRY_STATUS(in_range("gradient_norm_max", o.gradient_norm_max, 0.0F, 1e6F));
  BECKON_TRY_STATUS(in_range("warmup_steps", o.warmup_steps, 0, 1'000'000));
  BECKON_TRY_STATUS(in_range("dropout_ramp_steps", o.dropout_ramp_steps, 0, 100'000'000));
  BECKON_TRY_STATUS(in_range("patience", o.patience, 1, 1'000'000));
  BECKON_TRY_STATUS(in_range("negative_power", o.negative_power, 0.0, 2.0));
  BECKON_TRY_STATUS(in_range("averaging", o.averaging, 0.0F, .99999F));
  BECKON_TRY_STATUS(in_range("fine_tune_epochs", o.fine_tune_epochs, 0, 10'000));
  BECKON_TRY_STATUS(in_range("fine_tune_rate", o.fine_tune_rate, 1e-4F, 10.0F));
  BECKON_TRY_STATUS(in_range("worker_count", o.worker_count, std::size_t{1}, std::size_t{1024}));
  if (o.resume && o.checkpoint_path.empty()) {
    return base::invalid_argument("resume is set but checkpoint_path is empty: name the checkpoint to continue");
  }
  return base::ok_status();
}

namespace inner {
namespace {

base::Json json_of(const ModelOptions& o) {
  base::Json json;
  json["arch"] = name_of(kArchs, o.arch);
  json["positions"] = name_of(kPositions, o.positions);
  json["time_bias"] = o.time_bias;
  json["memory"] = o.memory;
  json["memory_dropout"] = static_cast<double>(o.memory_dropout);
  json["feed_forward_bias"] = o.feed_forward_bias;
  json["final_norm"] = o.final_norm;
  json["token_bias"] = o.token_bias;
  json["gbce_calibration"] = static_cast<double>(o.gbce_calibration);
  json["head_loss"] = name_of(kHeadLosses, o.head_loss);
  json["tokens"] = o.tokens;
  json["side_sizes"] = o.side_sizes;
  json["heads"] = o.heads;
  json["width"] = o.width;
  json["layers"] = o.layers;
  json["attention_heads"] = o.attention_heads;
  json["feed_forward_width"] = o.feed_forward_width;
  json["length_max"] = o.length_max;
  json["dropout"] = static_cast<double>(o.dropout);
  json["loss"] = name_of(kLosses, o.loss);
  json["negatives"] = o.negatives;
  json["head_weight"] = static_cast<double>(o.head_weight);
  return json;
}

// A number that does not fit becomes -1, which validate() refuses by name.
std::int32_t small_int(const base::Json& value) {
  if (!value.is_number_integer()) {
    return -1;
  }
  const auto wide = value.get<std::int64_t>();
  return wide >= 0 && wide <= 2'000'000'000 ? static_cast<std::int32_t>(wide) : -1;
}

}  // namespace

std::string text_of(Precision precision) {
  return name_of(kPrecisions, precision);
}

Precision resolved_precision(Precision precision) {
  return precision != Precision::kAuto ? precision : tensor::has_bf16() ? Precision::kBf16 : Precision::kFp32;
}

std::string to_json(const ModelOptions& options) {
  return base::to_line(json_of(options));
}

base::Result<ModelOptions> options_from_json(std::string_view text) {
  BECKON_TRY(const auto json, base::parse_json(text));
  if (!json.is_object() || !json.contains("side_sizes") || !json["side_sizes"].is_array()) {
    return base::invalid_argument("the configuration is no object with side_sizes");
  }
  const auto number = [&](const char* key) { return json.contains(key) ? small_int(json[key]) : -1; };
  ModelOptions o;
  o.tokens = number("tokens");
  for (const auto& size : json["side_sizes"]) {
    o.side_sizes.push_back(small_int(size));
  }
  o.heads = number("heads");
  o.width = number("width");
  o.layers = number("layers");
  o.attention_heads = number("attention_heads");
  o.feed_forward_width = number("feed_forward_width");
  o.length_max = number("length_max");
  o.negatives = number("negatives");
  o.dropout = static_cast<float>(base::real_or(json, "dropout", -1));
  o.head_weight = static_cast<float>(base::real_or(json, "head_weight", -1));
  BECKON_TRY(o.loss, named(kLosses, "loss", base::string_or(json, "loss")));
  // What files of the first version did not say: they were all of one architecture.
  const auto word = [&](const char* key, const char* before) { return base::string_or(json, key, before); };
  BECKON_TRY(o.arch, named(kArchs, "arch", word("arch", "ligr")));
  BECKON_TRY(o.positions, named(kPositions, "positions", word("positions", "distance")));
  BECKON_TRY(o.head_loss, named(kHeadLosses, "head_loss", word("head_loss", "binary_cross_entropy")));
  o.time_bias = base::bool_or(json, "time_bias", false);
  o.memory = base::bool_or(json, "memory", false);
  o.memory_dropout = static_cast<float>(base::real_or(json, "memory_dropout", 0));
  o.feed_forward_bias = base::bool_or(json, "feed_forward_bias", false);
  o.final_norm = base::bool_or(json, "final_norm", true);
  o.token_bias = base::bool_or(json, "token_bias", true);
  o.gbce_calibration = static_cast<float>(base::real_or(json, "gbce_calibration", .75));
  BECKON_TRY_STATUS(validate(o));
  return o;
}

std::string fingerprint(const ModelOptions& options, const TrainOptions& t) {
  base::Json json;
  json["model"] = json_of(options);
  json["seed"] = t.seed;
  json["batch_positions"] = t.batch_positions;
  json["learning_rate"] = static_cast<double>(t.learning_rate);
  json["gradient_norm_max"] = static_cast<double>(t.gradient_norm_max);
  json["warmup_steps"] = t.warmup_steps;
  json["dropout_ramp_steps"] = t.dropout_ramp_steps;
  json["positions_per_sequence"] = t.positions_per_sequence;
  json["validation_count_max"] = t.validation_count_max;
  json["validation_exclude_seen"] = t.validation_exclude_seen;
  json["negative_power"] = t.negative_power;
  json["precision"] = name_of(kPrecisions, resolved_precision(t.precision));
  json["averaging"] = static_cast<double>(t.averaging);
  json["update"] = t.update == Update::kHeads ? "heads" : "everything";
  json["worker_count"] = t.worker_count;
  return base::to_line(json);
}

}  // namespace inner
}  // namespace beckon::model
