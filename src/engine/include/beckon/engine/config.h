#pragma once
// beckon.toml as a whole: what catalog reads, and how event files are mapped.

#include <string>
#include <string_view>
#include <vector>

#include "beckon/catalog/catalog.h"
#include "beckon/events/clean.h"
#include "beckon/events/parse.h"
#include "beckon/features/options.h"
#include "beckon/model/train.h"

namespace beckon::engine {

struct Config {
  catalog::Shop shop;
  events::CsvMapping csv;
  bool has_csv_mapping = false;
  std::string event_channel = "web";  ///< of events that name none
  events::BotRules bots;
  model::ModelOptions model;              ///< [model]: the network
  features::FeatureOptions features;      ///< [model]: what it is told about items
  model::TrainOptions training;           ///< [train] over the defaults of beckon train: minutes, not the last thousandth
  model::TrainOptions evaluation;         ///< [train] over the defaults of a measurement
  std::string key_file = "beckon.key";
  std::int64_t key_version = 1;
  std::vector<std::string> run_catalog;   ///< [run] catalog, events, campaigns: what `beckon run` does
  std::vector<std::string> run_events;
  std::vector<std::string> run_campaigns;
};

base::Result<Config> load_config(std::string_view text, const std::string& file);

}  // namespace beckon::engine
