#include <algorithm>
#include <thread>

#include "beckon/study/price.h"
#include "commands.h"
#include "output.h"

namespace beckon::cli {

void declare_evaluate_price(CLI::App& group, Shared& shared) {
  struct Arguments {
    study::PriceRequest request;
    std::size_t threads = 0;
  };
  auto arguments = std::make_shared<Arguments>();
  study::PriceRequest& request = arguments->request;
  CLI::App* command = group.add_subcommand("price",
                                          "What a price does to demand: elasticities, the response over discount depth, and whether to believe them");
  command->add_option("FILE", request.file, "CSV with a header line; plain, gzip or zstd")->required();
  command->add_option("--price", request.price, "Column of the price that was asked, above 0")->required();
  command->add_option("--quantity", request.quantity, "Column of what was bought: 0/1, counts or amounts")->required();
  command->add_option("--by", request.by, "One elasticity for each combination of these columns, shrunk towards the first")->delimiter(',');
  command->add_option("--randomised-within", request.randomised_within,
                      "The price was drawn at random among rows that share these columns")->delimiter(',');
  command->add_flag("--randomised", request.randomised, "The price was drawn at random among all rows");
  command->add_option("--features", request.features, "Columns to take out of price and quantity (residual on residual)")->delimiter(',');
  command->add_option("--ignore", request.ignore, "Columns that came after the price: not asked whether they predict it")->delimiter(',');
  command->add_option("--where", request.where, "column=value: only these rows; may be repeated")->take_all();
  command->add_flag("--audit", request.audit, "Fairness audit: --features may name age, income and the like");
  command->add_option("--placebo", request.placebo,
                      "shuffle: prices change places over all rows; the answer has to be 0")->check(CLI::IsMember({"shuffle"}));
  command->add_option("--public-price", request.public_amount,
                      "Nobody pays more; depths count from here (default: highest price seen)")->check(CLI::PositiveNumber);
  command->add_option("--unit-cost", request.unit_cost, "What a unit costs: depths are valued by profit")->check(CLI::NonNegativeNumber);
  command->add_option("--level", request.level, "Coverage of intervals")->check(CLI::Range(0.5, 0.999))->capture_default_str();
  command->add_option("--permutations", request.permutations,
                      "Of the price, to judge who predicts it")->check(CLI::Range(99, 100'000))->capture_default_str();
  command->add_option("--seed", request.seed, "Of folds, permutations and draws")->capture_default_str();
  command->add_option("--threads", arguments->threads,
                      "Workers (default: one for each core); the answer does not depend on it")->check(CLI::Range(1, 1024));
  command->add_option("--out", request.out, "Folder for report.json and report.html");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("Example:  beckon evaluate price offers.csv.gz --price rate --quantity taken --randomised-within risk,wave --by risk\n"
                  "          beckon evaluate price sales.csv --price price --quantity sold --by brand,feat --out prices");
  command->callback([arguments, &shared] {
    const std::size_t workers = arguments->threads > 0 ? arguments->threads : std::max(1U, std::thread::hardware_concurrency());
    base::ThreadExecutor executor(workers);
    arguments->request.executor = &executor;
    shared.exit_code = finish(study::evaluate_price(arguments->request), shared.json);
  });
}

}  // namespace beckon::cli
