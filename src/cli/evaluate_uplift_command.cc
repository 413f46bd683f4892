#include "beckon/study/uplift.h"

#include "commands.h"
#include "output.h"

namespace beckon::cli {

void declare_evaluate_uplift(CLI::App& group, Shared& shared) {
  auto request = std::make_shared<study::UpliftRequest>();
  CLI::App* command = group.add_subcommand("uplift", "What a treatment changed in a file of customers, and whom to treat");
  command->add_option("FILE", request->file, "CSV with a line a customer: plain, gzip or zstd")->required();
  command->add_option("--treatment", request->treatment, "Column that says who got what")->required();
  command->add_option("--control", request->control, "Its value for those who got nothing (default: 0, false, no, none, control)");
  command->add_option("--arm", request->arms, "Its values to study (default: all others)")->delimiter(',');
  command->add_option("--outcome", request->outcome, "Column of numbers: 0 and 1, or an amount")->required();
  command->add_option("--features", request->features, "Columns known before the treatment (default: all that can be used; the report says which)")
      ->delimiter(',');
  command->add_option("--propensity", request->propensity, "Column with the probability of the arm that each row got");
  command->add_option("--customer", request->customer, "Column that names the customer, where one has several rows");
  command->add_option("--test", request->test_file, "Another file with the same columns: judges the policy that was chosen here");
  CLI::Option* value = command->add_option("--value", request->value, "Worth of one unit of the outcome")->check(CLI::PositiveNumber);
  CLI::Option* cost = command->add_option("--cost", request->cost, "Cost of one treatment")->check(CLI::NonNegativeNumber);
  command->add_option("--folds", request->folds, "Parts for cross-fitting")->check(CLI::Range(2, 100))->capture_default_str();
  command->add_option("--seeds", request->seeds, "One deal of the parts for each")->delimiter(',')->capture_default_str();
  command->add_option("--resamples", request->resamples, "Of the bootstrap")->check(CLI::Range(100, 100'000))->capture_default_str();
  command->add_flag("!--no-nested", request->nested, "Leave out the choice inside each fold: four times faster");
  command->add_option("--threads", request->threads, "Workers (default: one for each core)")->check(CLI::Range(1, 1024));
  command->add_option("--out", request->out, "Folder for report.json and report.html");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", request->quiet, "No progress");
  command->footer("Every learner is judged on customers that it has not seen; where no order does better than chance it says so.\n"
                  "Example:  beckon evaluate uplift mails.csv --treatment segment --control 'No E-Mail' --outcome visit\n"
                  "          beckon evaluate uplift train.csv --treatment promo --outcome purchase --value 10 --cost 0.15 --test test.csv --out study");
  command->callback([request, value, cost, &shared] {
    request->with_economics = value->count() > 0 || cost->count() > 0;
    request->quiet = request->quiet || shared.json;
    std::atomic<bool> stop{false};
    shared.exit_code = finish(stoppable(stop, [&] { return study::study_uplift(*request, stop); }), shared.json);
  });
}

}  // namespace beckon::cli
