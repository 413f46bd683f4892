#include <thread>

#include "beckon/study/experiment.h"
#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

struct Arguments {
  study::ExperimentRequest request;
  int threads = 0;
};

void run_experiment(Shared& shared, Arguments& arguments) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  base::ThreadExecutor executor(arguments.threads > 0 ? static_cast<std::size_t>(arguments.threads) : cores);
  arguments.request.executor = &executor;
  shared.exit_code = finish(study::evaluate_experiment(arguments.request), shared.json);
}

}  // namespace

void declare_evaluate_experiment(CLI::App& group, Shared& shared) {
  auto arguments = std::make_shared<Arguments>();
  study::ExperimentRequest& request = arguments->request;
  CLI::App* command = group.add_subcommand("experiment", "What an experiment showed: differences between the arms, with intervals that hold");
  command->add_option("FILE", request.file, "CSV, a row for each customer, or several with --customer; plain, gzip or zstd")->required();
  command->add_option("--arm", request.arm, "Column that tells the arms apart")->required();
  command->add_option("--metric", request.metrics, "Columns of numbers, separated by commas; mean per customer")->delimiter(',');
  command->add_option("--ratio", request.ratios, "NUM/DEN: sum of one column over sum of another, e.g. clicks/messages; several with commas")->delimiter(',');
  command->add_option("--covariate", request.covariate, "Column known before the experiment: CUPED");
  command->add_option("--strata", request.strata, "Column known before the experiment: post-stratification");
  command->add_option("--customer", request.customer, "Column: whose row it is; his rows are added up");
  command->add_option("--control", request.control, "Label of the arm to compare with (default: the first in order)");
  command->add_option("--expected", request.expected, "Intended sizes in the order of the labels, e.g. 1:1 or 90:10 (default: equal)");
  command->add_option("--winsor", request.winsor, "Quantile above which values of a metric become it, e.g. 0.99")->check(CLI::Range(0.5, 1.0));
  command->add_option("--level", request.level, "Coverage of the intervals")->check(CLI::Range(0.5, 0.999))->capture_default_str();
  command->add_option("--power", request.power, "Of the smallest effect that could be found")->check(CLI::Range(0.1, 0.999))->capture_default_str();
  command->add_option("--best-at", request.best_at, "Customers near which the daily interval is narrowest")->check(CLI::Range(1, 1'000'000'000))->capture_default_str();
  command->add_option("--replays", request.replays, "A/A replays; 0: none")->check(CLI::IsMember({0}) | CLI::Range(100, 100'000))->capture_default_str();
  command->add_option("--resamples", request.resamples, "Of the bootstrap; 0: none")->check(CLI::IsMember({0}) | CLI::Range(100, 100'000))->capture_default_str();
  command->add_option("--seed", request.seed, "Of replays and bootstrap")->capture_default_str();
  command->add_option("--threads", arguments->threads, "Workers (default: one for each core)")->check(CLI::Range(1, 1024));
  command->add_option("--out", request.out, "Folder for report.json and report.html");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("See docs/read-an-experiment.md.\n"
                  "Example:  beckon evaluate experiment spring.csv --arm group --metric spend,visit --covariate spend_before --expected 1:1 --out spring");
  command->callback([arguments, &shared] { run_experiment(shared, *arguments); });
}

}  // namespace beckon::cli
