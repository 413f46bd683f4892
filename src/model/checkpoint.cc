#include "checkpoint.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/json.h"
#include "memory.h"
#include "options.h"
#include "safetensors.h"

namespace beckon::model {
namespace inner {
namespace {

constexpr const char* kModelFormat = "beckon-model-1";
constexpr const char* kStateFormat = "beckon-train-state-2";

std::string value_of(const SafeTensors& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::string() : found->second;
}

base::Status check_format(const SafeTensors& file, const std::string& expected) {
  const std::string format = value_of(file, "format");
  if (format == expected) {
    return base::ok_status();
  }
  return base::invalid_argument("the file's format is '" + format.substr(0, 40) + "', this program reads '" + expected +
                                "': name another file, or train again with this version");
}

// Integers as floats: the only kind of number in the file. Exact up to 16 million, which validate() holds tokens to.
std::vector<float> floats_of(std::span<const std::int32_t> integers) { return {integers.begin(), integers.end()}; }

constexpr std::size_t kMemoryTensors = 4;

base::Result<Memory> read_memory(const SafeTensors& file, std::size_t tokens) {
  const auto rows = file.tensors.find("memory.followers");
  const std::size_t count = rows == file.tensors.end() ? 0 : rows->second.bytes.size() / sizeof(float);
  std::vector<float> row_size(tokens);
  std::vector<float> token(count);
  Memory::Table table;
  table.count.resize(count);
  table.total.resize(tokens);
  BECKON_TRY_STATUS(file.copy("memory.row_size", {tokens}, row_size));
  BECKON_TRY_STATUS(file.copy("memory.followers", {count}, token));
  BECKON_TRY_STATUS(file.copy("memory.counts", {count}, table.count));
  BECKON_TRY_STATUS(file.copy("memory.totals", {tokens}, table.total));
  const auto integer = [](float value) { return value >= 0 && value < 16'777'216.0F ? static_cast<std::int32_t>(value) : -1; };
  std::ranges::transform(row_size, std::back_inserter(table.row_size), integer);
  std::ranges::transform(token, std::back_inserter(table.token), integer);
  return Memory::from_table(std::move(table), tokens);
}

base::Json report_to_json(const TrainReport& report) {
  base::Json json;
  json["best_epoch"] = report.best_epoch;
  json["best_ndcg10"] = report.best_ndcg10;
  json["stopped_early"] = report.stopped_early;
  json["epochs"] = base::Json::array();
  for (const auto& e : report.epochs) {
    json["epochs"].push_back({{"epoch", e.epoch},
                              {"steps", e.steps},
                              {"positions", e.positions},
                              {"train_loss", e.train_loss},
                              {"validation_ndcg10", e.validation_ndcg10},
                              {"validation_hit10", e.validation_hit10},
                              {"positions_per_second", e.positions_per_second},
                              {"seconds", e.seconds}});
  }
  return json;
}

base::Result<TrainReport> report_from_json(std::string_view text) {
  BECKON_TRY(const auto json, base::parse_json(text));
  if (!json.is_object() || !json.contains("epochs") || !json["epochs"].is_array()) {
    return base::data_loss("the state has no list of epochs: train again without resume");
  }
  TrainReport report;
  for (const auto& from : json["epochs"]) {
    EpochReport e;
    e.epoch = static_cast<int>(report.epochs.size()) + 1;
    e.steps = base::int_or(from, "steps");
    e.positions = base::int_or(from, "positions");
    e.train_loss = base::real_or(from, "train_loss");
    e.validation_ndcg10 = base::real_or(from, "validation_ndcg10");
    e.validation_hit10 = base::real_or(from, "validation_hit10");
    e.positions_per_second = base::real_or(from, "positions_per_second");
    e.seconds = base::real_or(from, "seconds");
    report.epochs.push_back(e);
  }
  const std::int64_t best = base::int_or(json, "best_epoch");
  if (best < 0 || best > static_cast<std::int64_t>(report.epochs.size())) {
    return base::data_loss("the state's best epoch is none of its epochs: train again without resume");
  }
  report.best_epoch = static_cast<int>(best);
  report.best_ndcg10 = base::real_or(json, "best_ndcg10");
  report.stopped_early = base::bool_or(json, "stopped_early");
  return report;
}

}  // namespace

std::string model_to_bytes(const Model& model) {
  std::vector<TensorEntry> tensors;
  for (const auto& [name, part] : model.layout().named) {
    tensors.push_back({name, {part.rows, part.columns}, part_of(model.weights(), part)});
  }
  std::vector<float> row_size;
  std::vector<float> followers;
  if (model.memory() != nullptr) {
    const Memory::Table& table = model.memory()->table();
    row_size = floats_of(table.row_size);
    followers = floats_of(table.token);
    tensors.push_back({"memory.row_size", {row_size.size()}, row_size});
    tensors.push_back({"memory.followers", {followers.size()}, followers});
    tensors.push_back({"memory.counts", {table.count.size()}, table.count});
    tensors.push_back({"memory.totals", {table.total.size()}, table.total});
  }
  return write_safetensors(tensors, {{"format", kModelFormat}, {"config", to_json(model.options())}});
}

base::Result<Model> model_from_bytes(std::string_view bytes) {
  BECKON_TRY(const auto file, read_safetensors(bytes));
  BECKON_TRY_STATUS(check_format(file, kModelFormat));
  BECKON_TRY(const auto options, options_from_json(value_of(file, "config")));
  // Before anything is allocated: a hostile configuration may ask for gigabytes that the file does not hold.
  const Layout layout(options);
  std::size_t expected = 0;
  for (const auto& [name, part] : layout.named) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.bytes.size() != part.size() * sizeof(float)) {
      return base::data_loss("tensor " + name +
                             " is missing or of another size than the configuration says: take a backup "
                             "or train again");
    }
    ++expected;
  }
  const bool remembers = uses_memory(options) && file.tensors.contains("memory.row_size");
  if (expected + (remembers ? kMemoryTensors : 0) != file.tensors.size()) {
    return base::data_loss("the file holds tensors that its configuration does not know: take a backup or train again");
  }
  BECKON_TRY(auto model, Model::make(options, 0));
  for (const auto& [name, part] : layout.named) {
    const auto into = part_of(model.weights(), part);
    BECKON_TRY_STATUS(file.copy(name, {part.rows, part.columns}, into));
    for (const float value : into) {
      if (!std::isfinite(value)) {
        return base::data_loss("tensor " + name + " holds values that are no numbers: take a backup or train again");
      }
    }
  }
  if (remembers) {
    BECKON_TRY(auto memory, read_memory(file, model.tokens()));
    model.set_memory(std::make_shared<const Memory>(std::move(memory)));
  }
  return model;
}

std::string state_to_bytes(const TrainState& state, const std::string& fingerprint) {
  const std::vector<std::size_t> shape{state.weights.size()};
  const std::vector<TensorEntry> tensors{{"weights", shape, state.weights},
                                         {"adam.first", shape, state.optimizer.first},
                                         {"adam.second", shape, state.optimizer.second},
                                         {"average", {state.average.size()}, state.average},
                                         {"best_weights", {state.best_weights.size()}, state.best_weights}};
  return write_safetensors(tensors, {{"format", kStateFormat},
                                     {"fingerprint", fingerprint},
                                     {"steps", std::to_string(state.optimizer.steps)},
                                     {"report", base::to_line(report_to_json(state.report))}});
}

base::Result<TrainState> state_from_bytes(std::string_view bytes, const std::string& fingerprint, std::size_t size) {
  BECKON_TRY(const auto file, read_safetensors(bytes));
  BECKON_TRY_STATUS(check_format(file, kStateFormat));
  if (value_of(file, "fingerprint") != fingerprint) {
    return base::failed_precondition(
        "the state was made with other options: continue with the old ones, or train again "
        "without resume");
  }
  TrainState state;
  BECKON_TRY(state.report, report_from_json(value_of(file, "report")));
  BECKON_TRY(const auto steps, base::parse_json(value_of(file, "steps")));
  if (!steps.is_number_unsigned() || steps.get<std::uint64_t>() > std::uint64_t{1} << 40U) {
    return base::data_loss("the state's number of steps is no count: train again without resume");
  }
  state.optimizer.steps = steps.get<std::int64_t>();
  const auto copy = [&](const char* name, std::size_t count, std::vector<float>& into) {
    into.resize(count);
    return file.copy(name, {count}, into);
  };
  BECKON_TRY_STATUS(copy("weights", size, state.weights));
  BECKON_TRY_STATUS(copy("adam.first", size, state.optimizer.first));
  BECKON_TRY_STATUS(copy("adam.second", size, state.optimizer.second));
  const auto average = file.tensors.find("average");
  const bool averaged = average != file.tensors.end() && average->second.bytes.size() == size * sizeof(float);
  BECKON_TRY_STATUS(copy("average", averaged ? size : 0, state.average));
  BECKON_TRY_STATUS(copy("best_weights", state.report.best_epoch > 0 ? size : 0, state.best_weights));
  return state;
}

std::string state_path(const std::string& checkpoint_path) {
  return checkpoint_path + ".state";
}

}  // namespace inner

base::Result<Model> Model::load(const base::FileSystem& files, const std::string& path) {
  BECKON_TRY(const auto bytes, files.read(path));
  auto model = inner::model_from_bytes(bytes);
  return model.ok() ? std::move(model) : base::Result<Model>(model.error().at(path));
}

base::Status Model::save(base::FileSystem& files, const std::string& path) const {
  return files.write_atomic(path, inner::model_to_bytes(*this));
}

}  // namespace beckon::model
