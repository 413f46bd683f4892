#include "beckon/engine/config.h"

#include "beckon/model/config.h"

namespace beckon::engine {
namespace {

void read_csv(base::TomlTable table, Config& config) {
  events::CsvMapping& m = config.csv;
  const std::vector<std::pair<const char*, std::string*>> columns{
      {"user_id", &m.user_id}, {"anonymous_id", &m.anonymous_id}, {"message_id", &m.message_id}, {"time", &m.time},
      {"event", &m.event}, {"item", &m.item}, {"quantity", &m.quantity}, {"price", &m.price}, {"currency", &m.currency},
      {"order_id", &m.order_id}, {"channel", &m.channel}, {"market", &m.market}, {"coupon", &m.coupon}, {"campaign", &m.campaign},
      {"discount", &m.discount}};
  for (const auto& [key, target] : columns) {
    *target = table.text(key);
  }
  config.has_csv_mapping = !m.user_id.empty();
  m.default_event = table.text("default_event", m.default_event);
  m.cancel_prefix = table.text("cancel_prefix");
  m.negative_quantity_is_refund = table.boolean("negative_quantity_is_refund", true);
  m.price_is_line_total = table.boolean("price_is_line_total", false);
  const std::string delimiter = table.text("delimiter", ",");
  if (delimiter.size() != 1) {
    table.fail("delimiter", "must be one character");
  } else {
    m.delimiter = delimiter[0];
  }
  base::TomlTable names = table.table("event_types");
  for (const auto& name : names.keys()) {
    const auto type = events::event_type_of(names.text(name));
    if (type.has_value()) {
      m.event_types[name] = *type;
    } else {
      names.fail(name, "must be a kind of event such as view, cart, purchase or refund");
    }
  }
  base::TomlTable traits = table.table("traits");
  for (const auto& trait : traits.keys()) {
    m.trait_columns[trait] = traits.text(trait);
  }
}

void read_bots(base::TomlTable table, events::BotRules& bots) {
  bots.views_per_minute_max = table.integer("views_per_minute_max", bots.views_per_minute_max, {1, 1e6});
  bots.events_per_day_max = table.integer("events_per_day_max", bots.events_per_day_max, {1, 1e9});
  bots.same_gap_run_max = table.integer("same_gap_run_max", bots.same_gap_run_max, {2, 1e6});
}

// What a shop trains with every night.
model::TrainOptions nightly() {
  model::TrainOptions options;
  options.epochs_max = 30;
  options.patience = 3;
  options.validation_count_max = 5000;
  return options;
}

// A plan weighs own history and chain once, in `response`: with them inside the network as well, the mixture ranks worse (decision 0011).
model::ModelOptions of_a_shop() {
  model::ModelOptions options;
  options.memory = false;
  return options;
}

}  // namespace

base::Result<Config> load_config(std::string_view text, const std::string& file) {
  BECKON_TRY(base::TomlTable root, base::TomlTable::parse(text, file));
  Config config;
  BECKON_TRY(config.shop, catalog::load_shop(root));
  base::TomlTable events_table = root.table("events");
  config.event_channel = events_table.text("channel", config.event_channel);
  read_csv(events_table.table("csv"), config);
  read_bots(events_table.table("bots"), config.bots);
  config.model = model::read_model_options(root.table("model"), of_a_shop());
  config.features = features::read_feature_options(root.table("model"), config.features);
  config.training = model::read_train_options(root.table("train"), nightly());
  config.evaluation = model::read_train_options(root.table("train"), config.evaluation);
  base::TomlTable key = root.table("key");
  config.key_file = key.text("file", config.key_file);
  config.key_version = key.integer("version", 1, {1, 255});
  base::TomlTable run = root.table("run");
  config.run_catalog = run.texts("catalog");
  config.run_events = run.texts("events");
  config.run_campaigns = run.texts("campaigns");
  BECKON_TRY_STATUS(root.finish());
  return config;
}

}  // namespace beckon::engine
