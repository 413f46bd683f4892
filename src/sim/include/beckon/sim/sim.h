#pragma once
// A simulated shop lived through with the real engine: history in, train, plan, send; the customers of `market` answer the messages;
// what the report then says is set beside what is true. Not a production path.
//
//   prepare()  makes the folder (or finds the one it made before) and the world
//   play()     runs the steps in it; running again repeats nothing that is done
//
// The shop lives in its own time: open it with OpenOptions{.as_of = simulation.starts, .simulated_clock = true}.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "beckon/base/executor.h"
#include "beckon/base/json.h"
#include "beckon/base/money.h"
#include "beckon/engine/engine.h"
#include "beckon/market/market.h"

namespace beckon::sim {

struct SimulateOptions {
  std::string folder;
  std::uint64_t seed = 1;
  std::int64_t customers = 2000;
  std::int64_t days = 180;          ///< of history before the campaign
  std::string strategy = "value";   ///< "value", "threshold", "popular" or "random"
  double effect = 1.0;              ///< scale of what messages can do; 0: they change nothing
  std::string budget = "300.00";
  bool compare_strategies = true;   ///< also asks the world what the other strategies' plans would bring
};

/// A world and the folder of its shop.
struct Simulation {
  SimulateOptions options;
  std::unique_ptr<base::Executor> executor;   ///< of the market, outlives it
  std::unique_ptr<market::Market> market;
  base::Instant starts;                       ///< end of the history, start of the campaign
  std::string campaign_file;
};

/// invalid_argument for options out of range; already_exists when the folder holds a shop that is not this simulation.
base::Result<Simulation> prepare(const SimulateOptions& options);

/// Answers the counts of each step, the campaign's report and the "truth"; writes reports/simulation.html. `say` gets a line per step.
base::Result<base::Json> play(engine::Context& context, const Simulation& simulation, const std::function<void(const std::string&)>& say);

}  // namespace beckon::sim
