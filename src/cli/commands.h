#pragma once
// Private to cli: what every command shares, and the functions that declare groups of commands.

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "beckon/engine/engine.h"
#include "beckon/engine/holder.h"

namespace beckon::cli {

/// Flags that every command takes, and the exit code of the one that ran.
struct Shared {
  std::string shop = ".";
  std::string as_of;
  std::string key_file;
  bool simulated = false;  ///< as_of is the shop's own present (simulate)
  bool json = false;
  bool quiet = false;
  int exit_code = 0;
};

using Step = std::function<base::Result<base::Json>(engine::Context&)>;

/// Adds --shop, --json, --quiet, --key-file (and --as-of where it has a meaning) to a command.
void add_shared(CLI::App& command, Shared& shared, bool with_as_of);
/// Opens the shop for `command`, listens on its socket while `step` runs, prints its answer.
void run_step(Shared& shared, const std::string& command, const Step& step);
/// Runs `work` while a signal sets `stop`.
base::Result<base::Json> stoppable(std::atomic<bool>& stop, const std::function<base::Result<base::Json>()>& work);
/// run_step() for commands that only read or stop: when another process holds the shop they go through it.
void run_or_ask(Shared& shared, const base::Json& request);

void declare_data_commands(CLI::App& app, Shared& shared);      ///< init, catalog, ingest, train
void declare_campaign_commands(CLI::App& app, Shared& shared);  ///< plan, preview, send, deliveries, report
void declare_people_commands(CLI::App& app, Shared& shared);    ///< explain, erase, export, doctor
void declare_run_command(CLI::App& app, Shared& shared);        ///< run
void declare_simulate_command(CLI::App& app, Shared& shared);   ///< simulate
void declare_evaluate_command(CLI::App& app, Shared& shared);   ///< evaluate sequences, and what follows

// Each below `evaluate`, in a file of its own.
void declare_evaluate_uplift(CLI::App& group, Shared& shared);
void declare_evaluate_price(CLI::App& group, Shared& shared);
void declare_evaluate_ope(CLI::App& group, Shared& shared);
void declare_evaluate_experiment(CLI::App& group, Shared& shared);

}  // namespace beckon::cli
