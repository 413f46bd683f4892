#include <iostream>

#include "beckon/sim/sim.h"
#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

void run_simulation(Shared& shared, const sim::SimulateOptions& options) {
  const auto simulation = sim::prepare(options);
  if (!simulation.ok()) {
    shared.exit_code = finish(simulation.error(), shared.json);
    return;
  }
  shared.shop = options.folder;
  shared.as_of = base::format_time(simulation->starts);
  shared.simulated = true;
  run_step(shared, "simulate", [&simulation](engine::Context& context) {
    return sim::play(context, *simulation, [&context](const std::string& text) {
      if (!context.quiet) {
        std::cerr << text << std::endl;
      }
    });
  });
}

}  // namespace

void declare_simulate_command(CLI::App& app, Shared& shared) {
  auto options = std::make_shared<sim::SimulateOptions>();
  auto no_comparison = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("simulate", "A simulated shop whose truth is known: the whole way, and the report beside the truth");
  command->add_option("DIR", options->folder, "Folder to make, or of a simulation to go on with")->required();
  command->add_option("--seed", options->seed, "Another seed is another world")->capture_default_str();
  command->add_option("--customers", options->customers, "10 to 1,000,000")->capture_default_str();
  command->add_option("--days", options->days, "Of history before the campaign, 14 to 1,000")->capture_default_str();
  command->add_option("--strategy", options->strategy, "value, threshold, popular or random")->capture_default_str();
  command->add_option("--effect", options->effect, "Scale of what messages can do, 0 to 3; 0: they change nothing")->capture_default_str();
  command->add_option("--budget", options->budget, "Of the campaign, in euros")->capture_default_str();
  command->add_flag("--no-comparison", *no_comparison, "Leave out what the other strategies' plans would bring");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("Running again repeats nothing that is done.\nExample:  beckon simulate sim --seed 7 --strategy value");
  command->callback([options, no_comparison, &shared] {
    options->compare_strategies = !*no_comparison;
    run_simulation(shared, *options);
  });
}

}  // namespace beckon::cli
