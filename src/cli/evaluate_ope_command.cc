#include <thread>

#include "beckon/study/ope.h"
#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

struct Arguments {
  study::OpeRequest request;
  int threads = 0;
};

void run_ope(Shared& shared, Arguments& arguments) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  base::ThreadExecutor executor(arguments.threads > 0 ? static_cast<std::size_t>(arguments.threads) : cores);
  arguments.request.executor = &executor;
  shared.exit_code = finish(study::evaluate_ope(arguments.request), shared.json);
}

void add_policy_options(CLI::App& command, study::OpeRequest& request) {
  command.add_option("--target", request.target, "Column: probability of the shown action under the policy to be judged, 0 to 1");
  command.add_option("--action", request.action, "Column: the shown action; with the whole distribution of the target DM, DR over actions, Switch-DR and DRos are computed");
  command.add_option("--target-table", request.target_table, "CSV file with the columns of --action and 'probability', and any columns of FILE the policy looks at");
  command.add_option("--target-columns", request.target_columns, "Prefix of columns of FILE that hold the target's probability of each action, e.g. target_ for target_17");
  command.add_option("--features", request.features, "Columns for the reward model, separated by commas")->delimiter(',');
  command.add_option("--customer", request.customer, "Column: whose row it is; rows of one customer are not independent");
  command.add_option("--logger", request.logger, "Column: which of several policies showed the row");
  command.add_option("--slate", request.slate, "Column: rows that were shown together");
  command.add_option("--position", request.position, "Column: place in the slate, first shown lowest");
  command.add_option("--category-propensity", request.category_propensity, "Column: logged probability of the shown action's category (MIPW)");
  command.add_option("--category-target", request.category_target, "Column: the same under the policy to be judged");
}

void add_tuning_options(CLI::App& command, study::OpeRequest& request) {
  command.add_option("--clip", request.clip, "Largest weight of the clipped estimate (default: chosen from the data)")->check(CLI::NonNegativeNumber);
  command.add_option("--switch-above", request.switch_above, "Weight above which Switch-DR trusts the model (default: chosen)")->check(CLI::NonNegativeNumber);
  command.add_option("--shrinkage", request.shrinkage, "Lambda of DRos (default: chosen)")->check(CLI::NonNegativeNumber);
  command.add_option("--weight-bound", request.weight_bound, "Largest weight that could occur; with the reward's bounds: empirical Bernstein")->check(CLI::NonNegativeNumber);
  command.add_option("--reward-low", request.reward_low, "Smallest reward that could occur")->capture_default_str();
  command.add_option("--reward-high", request.reward_high, "Largest reward that could occur");
  command.add_option("--level", request.level, "Coverage of the intervals")->check(CLI::Range(0.5, 0.999))->capture_default_str();
  command.add_option("--resamples", request.resamples, "Of the bootstrap; 0: none")->check(CLI::IsMember({0}) | CLI::Range(100, 100'000))->capture_default_str();
  command.add_option("--seed", request.seed, "Of the bootstrap and the folds")->capture_default_str();
}

}  // namespace

void declare_evaluate_ope(CLI::App& group, Shared& shared) {
  auto arguments = std::make_shared<Arguments>();
  study::OpeRequest& request = arguments->request;
  CLI::App* command = group.add_subcommand("ope", "What another policy would have earned, from the log of the one that ran");
  command->add_option("FILE", request.file, "CSV, a row for each shown action; plain, gzip or zstd")->required();
  command->add_option("--reward", request.reward, "Column: what came of it")->required();
  command->add_option("--propensity", request.propensity, "Column: logged probability of the shown action; several loggers: NAME=COL,NAME=COL")->delimiter(',')->required();
  add_policy_options(*command, request);
  add_tuning_options(*command, request);
  command->add_option("--threads", arguments->threads, "Workers (default: one for each core)")->check(CLI::Range(1, 1024));
  command->add_option("--out", request.out, "Folder for report.json and report.html");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("An effective sample below 100 or a k-hat above 0.7 is refused: the answer says so and holds no estimates. See docs/evaluate-a-policy.md.\n"
                  "Example:  beckon evaluate ope log.csv --reward click --propensity p --target p_new --features age,position --customer id --out judged");
  command->callback([arguments, &shared] { run_ope(shared, *arguments); });
}

}  // namespace beckon::cli
