#include "beckon/model/config.h"

#include <cstdio>
#include <cstdlib>

#include "options.h"

namespace beckon::model {
namespace {

// Each member of `defaults` as a key of the table, read as what it is: so a field that ModelOptions gains is a key at once.
base::Json read_like(base::TomlTable& table, const base::Json& defaults) {
  base::Json out = defaults;
  for (auto& [key, value] : out.items()) {
    if (value.is_boolean()) {
      value = table.boolean(key, value.get<bool>());
    } else if (value.is_number_integer()) {
      value = table.integer(key, value.get<std::int64_t>());
    } else if (value.is_number_float()) {
      value = table.real(key, value.get<double>());
    } else if (value.is_string()) {
      value = table.text(key, value.get<std::string>());
    }
  }
  return out;
}

// 0.4, not 0.4000000059604645: a float as people write it.
double short_form(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return std::strtod(text, nullptr);
}

}  // namespace

base::Json options_json(const ModelOptions& options) {
  base::Json json = base::parse_json(inner::to_json(options)).value();
  for (const char* decided_by_data : {"tokens", "side_sizes", "heads"}) {
    json.erase(decided_by_data);
  }
  for (auto& [key, value] : json.items()) {
    if (value.is_number_float()) {
      value = short_form(value.get<double>());
    }
  }
  return json;
}

ModelOptions read_model_options(base::TomlTable table, const ModelOptions& defaults) {
  base::Json json = base::parse_json(inner::to_json(defaults)).value();
  const base::Json read = read_like(table, options_json(defaults));
  json.update(read);
  auto options = inner::options_from_json(base::to_line(json));
  if (!options.ok()) {
    // validate() begins its message with the name of the field.
    const std::string& message = options.error().message;
    const std::string field = message.substr(0, message.find(' '));
    table.fail(read.contains(field) ? field : "width", message);
    return defaults;
  }
  return std::move(options).value();
}

base::Json options_json(const TrainOptions& t) {
  return {{"seed", static_cast<std::int64_t>(t.seed)},
          {"epochs_max", t.epochs_max},
          {"batch_positions", static_cast<std::int64_t>(t.batch_positions)},
          {"learning_rate", short_form(static_cast<double>(t.learning_rate))},
          {"gradient_norm_max", short_form(static_cast<double>(t.gradient_norm_max))},
          {"warmup_steps", t.warmup_steps},
          {"dropout_ramp_steps", t.dropout_ramp_steps},
          {"patience", t.patience},
          {"positions_per_sequence", static_cast<std::int64_t>(t.positions_per_sequence)},
          {"validation_count_max", static_cast<std::int64_t>(t.validation_count_max)},
          {"negative_power", t.negative_power},
          {"averaging", short_form(static_cast<double>(t.averaging))},
          {"fine_tune_epochs", t.fine_tune_epochs},
          {"fine_tune_rate", short_form(static_cast<double>(t.fine_tune_rate))},
          {"precision", inner::text_of(t.precision)}};
}

TrainOptions read_train_options(base::TomlTable table, const TrainOptions& defaults) {
  constexpr base::Range kCount{0, 1e15};
  TrainOptions t = defaults;
  const auto count = [&](const char* key, auto fallback) {
    return static_cast<decltype(fallback)>(table.integer(key, static_cast<std::int64_t>(fallback), kCount));
  };
  const auto small = [&](const char* key, int fallback) {
    return static_cast<int>(table.integer(key, fallback, {0, 1e6}));
  };
  t.seed = count("seed", t.seed);
  t.epochs_max = small("epochs_max", t.epochs_max);
  t.batch_positions = count("batch_positions", t.batch_positions);
  t.learning_rate = static_cast<float>(table.real("learning_rate", static_cast<double>(t.learning_rate)));
  t.gradient_norm_max = static_cast<float>(table.real("gradient_norm_max", static_cast<double>(t.gradient_norm_max)));
  t.warmup_steps = small("warmup_steps", t.warmup_steps);
  t.dropout_ramp_steps = small("dropout_ramp_steps", t.dropout_ramp_steps);
  t.patience = small("patience", t.patience);
  t.positions_per_sequence = count("positions_per_sequence", t.positions_per_sequence);
  t.validation_count_max = count("validation_count_max", t.validation_count_max);
  t.negative_power = table.real("negative_power", t.negative_power);
  t.averaging = static_cast<float>(table.real("averaging", static_cast<double>(t.averaging)));
  t.fine_tune_epochs = small("fine_tune_epochs", t.fine_tune_epochs);
  t.fine_tune_rate = static_cast<float>(table.real("fine_tune_rate", static_cast<double>(t.fine_tune_rate)));
  const auto precision = precision_from(table.text("precision", inner::text_of(t.precision)));
  if (!precision.ok()) {
    table.fail("precision", precision.error().message);
    return defaults;
  }
  t.precision = *precision;
  if (const auto status = validate(t); !status.ok()) {
    const std::string& message = status.error().message;
    table.fail(message.substr(0, message.find(' ')), message);
    return defaults;
  }
  return t;
}

}  // namespace beckon::model
