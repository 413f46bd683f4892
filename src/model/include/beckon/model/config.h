#pragma once
// Options from configuration files. The option structs declare keys and defaults; nothing is declared a second time here.

#include "beckon/base/json.h"
#include "beckon/base/toml.h"
#include "beckon/model/train.h"

namespace beckon::model {

/// Keys of [model]: the fields of ModelOptions but those that the data decides (tokens, side_sizes, heads). Keys that are absent keep
/// the value of `defaults`. Problems are collected by the table: ask finish().
ModelOptions read_model_options(base::TomlTable table, const ModelOptions& defaults);
/// Keys of [train]: the fields of TrainOptions but paths, resume and worker_count.
TrainOptions read_train_options(base::TomlTable table, const TrainOptions& defaults);

/// The same keys and their values, for reports.
base::Json options_json(const ModelOptions& options);
base::Json options_json(const TrainOptions& options);

}  // namespace beckon::model
