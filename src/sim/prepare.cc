// The folder of a simulated shop: everything a real one has, and a note of the world it belongs to.
#include <sys/stat.h>

#include <thread>

#include "beckon/base/codec.h"
#include "beckon/catalog/catalog.h"
#include "beckon/privacy/privacy.h"
#include "beckon/sim/sim.h"
#include "parts.h"

namespace beckon::sim {
namespace {

constexpr std::int64_t kEventsPerFile = 1'000'000;  // about; a file is made in memory

base::Json note_of(const SimulateOptions& options) {
  return {{"seed", options.seed}, {"customers", options.customers}, {"days", options.days}, {"strategy", options.strategy},
          {"effect", options.effect}, {"budget", options.budget}};
}

// A simulated shop has no secrets: its key follows from the seed, so that groups and plans are the same on every machine.
base::Status write_key(base::FileSystem& files, const std::string& path, std::uint64_t seed) {
  const std::string key = privacy::sha256("beckon simulate, seed " + std::to_string(seed));
  BECKON_TRY_STATUS(files.write_atomic(path, base::to_hex(key) + "\n"));
  return ::chmod(path.c_str(), 0400) == 0 ? base::ok_status()
                                          : base::Status(base::Error{base::ErrorCode::kPermissionDenied, "cannot protect the key file " + path});
}

std::string config_text(const SimulateOptions& options) {
  return R"(# A simulated shop, made by beckon simulate. Its customers do not exist.
[shop]
name = "Simulated shop, seed )" +
         std::to_string(options.seed) + R"("
currency = "EUR"
zone = "Europe/Berlin"
country = "DE"
language = "en"
margin_share = 0.45
data_notice = "Simulated customers with known truth (beckon simulate). Figures say nothing about real shoppers."

[channel.email]
transport = "file"
send_cost = "0.002"
per_day_max = 1
per_week_max = 3

[channel.push]
transport = "file"
send_cost = "0.0005"
per_day_max = 1
per_week_max = 3

[train]
epochs_max = )" + std::to_string(kEpochsMax) +
         R"(

[key]
file = "beckon.key"
version = 1
)";
}

std::string campaign_text(const SimulateOptions& options, base::Instant starts) {
  return "# The campaign of the simulation: two discounts and a recommendation, under one budget.\n[campaign]\nid = \"" +
         std::string(kCampaign) + "\"\nname = \"Something you may like\"\nperiod = \"1\"\nstarts = \"" + base::format_time(starts) +
         "\"\nends = \"" + base::format_time(starts.plus_ms(kCampaignDays * base::kDayMs)) + "\"\nstrategy = \"" + options.strategy +
         "\"\nthreshold = 0.02\nchannels = [\"email\", \"push\"]\nholdout_share = 0.20\nrandom_share = 0.05\nattribution_days = " +
         std::to_string(kAttributionDays) + R"(

[audience]
active_within_days = 90

[items]
top = 200
per_customer = 10

[[offer]]
id = "ten"
kind = "percent_off"
percent = 10
code = "TEN"
valid_days = 7

[[offer]]
id = "recommend"
kind = "none"

[[offer]]
id = "twenty"
kind = "percent_off"
percent = 20
code = "TWENTY"
valid_days = 7

[[budget]]
id = "main"
amount = ")" + options.budget + R"("
basis = "face"
)";
}

// identify, consent, then what everybody did; in files of about a million events.
base::Status write_history(base::FileSystem& files, const Simulation& simulation) {
  const market::Market& world = *simulation.market;
  const std::int64_t parts = 1 + simulation.options.customers * simulation.options.days / kEventsPerFile;
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::string path = history_file(simulation, part);
    if (files.exists(path)) {
      continue;
    }
    std::string lines;
    for (std::int64_t customer = 0; part == 0 && customer < simulation.options.customers; ++customer) {
      lines += world.identify_json(customer) + "\n";
      if (const std::string consent = world.consent_json(customer); !consent.empty()) {
        lines += consent + "\n";
      }
    }
    const base::Instant start = world.options().start;
    const base::Instant from = start.plus_ms(simulation.options.days * part / parts * base::kDayMs);
    const base::Instant until = start.plus_ms(simulation.options.days * (part + 1) / parts * base::kDayMs);
    for (const auto& event : world.history(from, until)) {
      lines += world.to_segment_json(event) + "\n";
    }
    BECKON_TRY_STATUS(files.write_atomic(path, lines));
  }
  return base::ok_status();
}

base::Status write_folder(base::FileSystem& files, const Simulation& simulation) {
  const std::string& folder = simulation.options.folder;
  for (const char* name : {"", "/campaigns", "/files"}) {
    BECKON_TRY_STATUS(files.make_dirs(folder + name));
  }
  BECKON_TRY_STATUS(files.write_atomic(folder + "/simulation.json", base::to_line(note_of(simulation.options)) + "\n"));
  if (!files.exists(folder + "/beckon.key")) {
    BECKON_TRY_STATUS(write_key(files, folder + "/beckon.key", simulation.options.seed));
  }
  BECKON_TRY_STATUS(files.write_atomic(simulation.campaign_file, campaign_text(simulation.options, simulation.starts)));
  BECKON_TRY_STATUS(files.write_atomic(folder + "/files/products.csv", simulation.market->catalog_csv()));
  BECKON_TRY_STATUS(write_history(files, simulation));
  return files.write_atomic(folder + "/beckon.toml", config_text(simulation.options));  // last: now it is a shop
}

// The same simulation may go on; anything else in the folder stays untouched.
base::Status check_folder(const base::FileSystem& files, const SimulateOptions& options) {
  const std::string note = options.folder + "/simulation.json";
  if (!files.exists(note)) {
    return files.exists(options.folder + "/beckon.toml")
               ? base::Status(base::Error{base::ErrorCode::kAlreadyExists, options.folder + " holds a real shop: choose another folder for a simulation"})
               : base::ok_status();
  }
  BECKON_TRY(const std::string text, files.read(note));
  const auto known = base::parse_json(text);
  if (known.ok() && *known == note_of(options)) {
    return base::ok_status();
  }
  return base::Error{base::ErrorCode::kAlreadyExists,
                     options.folder + " holds the simulation " + std::string(base::trimmed(text)) + ": give the same options, or choose another folder"};
}

}  // namespace

std::string history_file(const Simulation& simulation, std::int64_t part) {
  return simulation.options.folder + "/files/history-" + std::to_string(part) + ".jsonl";
}

base::Result<Simulation> prepare(const SimulateOptions& options) {
  base::PosixFileSystem files;
  BECKON_TRY_STATUS(catalog::parse_strategy(options.strategy));
  const auto budget = base::Money::parse(options.budget, base::Currency::parse("EUR").value());
  if (!budget.ok() || budget->is_negative()) {
    return base::invalid_argument("the budget must be an amount such as 300.00");
  }
  if (options.customers < 10 || options.customers > 1'000'000 || options.days < 14 || options.days > 1000) {
    return base::invalid_argument("a simulation needs 10 to 1,000,000 customers and 14 to 1,000 days");
  }
  BECKON_TRY_STATUS(check_folder(files, options));
  Simulation simulation;
  simulation.options = options;
  simulation.executor = std::make_unique<base::ThreadExecutor>(std::max(1U, std::thread::hardware_concurrency()));
  market::MarketOptions world;
  world.seed = options.seed;
  world.customers = options.customers;
  world.history_days = options.days;
  world.effect_scale = options.effect;
  world.executor = simulation.executor.get();
  BECKON_TRY(auto made, market::Market::make(world));
  simulation.market = std::make_unique<market::Market>(std::move(made));
  simulation.starts = simulation.market->history_end();
  simulation.campaign_file = options.folder + "/campaigns/" + kCampaign + ".toml";
  if (!files.exists(options.folder + "/beckon.toml")) {
    BECKON_TRY_STATUS(write_folder(files, simulation));
  }
  return simulation;
}

}  // namespace beckon::sim
