#include "beckon/cli/cli.h"

#include <csignal>
#include <iostream>

#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

std::atomic<std::atomic<bool>*> g_stop{nullptr};  // the handler of a signal reaches nothing else

void on_signal(int) {
  if (std::atomic<bool>* stop = g_stop.load(); stop != nullptr) {
    stop->store(true);
  }
}

// A time on the command line without an offset is read in UTC: it sets the engine's clock, not a customer's.
base::Result<std::optional<base::Instant>> parse_as_of(const std::string& text) {
  if (text.empty()) {
    return std::optional<base::Instant>();
  }
  BECKON_TRY(const base::Instant at, base::parse_time(text, base::Zone::utc()));
  return std::optional<base::Instant>(at);
}

base::Result<std::unique_ptr<engine::Context>> open(const Shared& shared, const std::string& command) {
  engine::OpenOptions options;
  options.folder = shared.shop;
  options.command = command;
  options.quiet = shared.quiet;
  options.key_file = shared.key_file;
  options.simulated_clock = shared.simulated;
  BECKON_TRY(options.as_of, parse_as_of(shared.as_of));
  return engine::open_shop(options);
}

base::Result<base::Json> run_opened(engine::Context& context, const Step& step) {
  BECKON_TRY_STATUS(context.holder->listen([&context](const base::Json& request) { return engine::answer_request(context, request); }));
  auto answer = stoppable(context.stop, [&] { return step(context); });
  context.holder->stop_listening();
  return answer;
}

}  // namespace

void add_shared(CLI::App& command, Shared& shared, bool with_as_of) {
  command.add_option("--shop", shared.shop, "Folder of the shop")->capture_default_str();
  command.add_option("--key-file", shared.key_file, "File with the shop's key, when it is not where beckon.toml says");
  command.add_flag("--json", shared.json, "Print the result as one line of JSON");
  command.add_flag("--quiet", shared.quiet, "No progress");
  if (with_as_of) {
    command.add_option("--as-of", shared.as_of, "Set the clock: nothing later is seen (2026-03-01 or 2026-03-01T09:00:00Z)");
  }
}

base::Result<base::Json> stoppable(std::atomic<bool>& stop, const std::function<base::Result<base::Json>()>& work) {
  g_stop.store(&stop);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  auto answer = work();
  g_stop.store(nullptr);
  return answer;
}

void run_step(Shared& shared, const std::string& command, const Step& step) {
  auto context = open(shared, command);
  shared.exit_code = context.ok() ? finish(run_opened(**context, step), shared.json) : finish(context.error(), shared.json);
}

void run_or_ask(Shared& shared, const base::Json& request) {
  auto context = open(shared, base::string_or(request, "command"));
  if (context.ok()) {
    engine::Context& opened = **context;
    shared.exit_code = finish(engine::answer_request(opened, request), shared.json);
    return;
  }
  if (context.error().code == base::ErrorCode::kUnavailable) {
    if (const auto answer = engine::ask_holder(shared.shop, request); answer.ok()) {
      shared.exit_code = finish(*answer, shared.json);
      return;
    }
  }
  shared.exit_code = finish(context.error(), shared.json);
}

int run_command_line(int argc, char** argv) {
  CLI::App app{"beckon: the right promotion for each customer: decided, sent, measured."};
  app.set_version_flag("--version", "beckon 0.1.0");
  app.require_subcommand(1);
  app.fallthrough(false);
  app.footer("Start with:  beckon init my-shop && cd my-shop && beckon run\nHelp of a command:  beckon plan --help");
  Shared shared;
  declare_data_commands(app, shared);
  declare_campaign_commands(app, shared);
  declare_people_commands(app, shared);
  declare_run_command(app, shared);
  declare_simulate_command(app, shared);
  declare_evaluate_command(app, shared);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;  // help and version are no errors
  }
  return shared.exit_code;
}

}  // namespace beckon::cli
