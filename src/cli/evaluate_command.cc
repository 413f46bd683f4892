#include "beckon/engine/evaluate.h"

#include <iostream>

#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

struct Arguments {
  std::string file;
  engine::EvaluateRequest request;
};

void run_evaluation(Shared& shared, Arguments& arguments, bool of_shop) {
  if (of_shop == !arguments.file.empty()) {
    shared.exit_code = 2;
    std::cerr << "beckon: name either a FILE of sequences or --shop DIR\n";
    return;
  }
  arguments.request.quiet = shared.quiet;
  if (of_shop) {
    run_step(shared, "evaluate", [&](engine::Context& context) { return engine::evaluate_shop(context, arguments.request); });
    return;
  }
  if (arguments.request.protocol != "loo") {
    shared.exit_code = 2;
    std::cerr << "beckon: " << arguments.file << " holds the order of the items and no times, which --protocol " << arguments.request.protocol
              << " needs: choose loo, or --shop DIR with the events\n";
    return;
  }
  std::atomic<bool> stop{false};
  shared.exit_code = finish(stoppable(stop, [&] { return engine::evaluate_file(arguments.file, arguments.request, stop); }), shared.json);
}

}  // namespace

void declare_evaluate_command(CLI::App& app, Shared& shared) {
  CLI::App* group = app.add_subcommand("evaluate", "Models, treatments, prices, policies and experiments beside what they have to beat");
  group->require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  engine::EvaluateRequest& request = arguments->request;
  CLI::App* command = group->add_subcommand("sequences", "Train once a seed, rank the whole catalogue for every test customer");
  command->add_option("FILE", arguments->file, "Lines 'user item item …', items as whole numbers, oldest first; plain, gzip or zstd");
  CLI::Option* shop = command->add_option("--shop", shared.shop, "Folder of a shop: its own events instead of FILE");
  command->add_option("--protocol", request.protocol, "loo: the last item of each customer; gts: his last after one cut in time; next-basket: his first order after it")
      ->check(CLI::IsMember({"loo", "gts", "next-basket"}))->capture_default_str();
  command->add_option("--split-time", request.split_time, "The cut of gts and next-basket (default: 0.9 quantile of the events' times, by day)");
  command->add_option("--repeats", request.repeats, "allow or filter what the customer met before (default: filter for loo, else allow)")
      ->check(CLI::IsMember({"allow", "filter"}));
  command->add_option("--config", request.config_file, "TOML with [model] and [train] (default: the shop's, or the built-in values)");
  command->add_option("--epochs", request.epochs, "At most so many")->check(CLI::Range(1, 1'000'000));
  command->add_option("--threads", request.threads, "Workers (default: one for each core)")->check(CLI::Range(1, 1024));
  command->add_option("--seeds", request.seeds, "One training for each, e.g. 1,2,3")->delimiter(',')->capture_default_str();
  command->add_option("--out", request.out, "Folder for report.json, report.html and the checkpoints")->required();
  command->add_option("--tensorboard", request.tensorboard, "Write event files for TensorBoard into this folder, one below it for each seed");
  command->add_option("--export-onnx", request.onnx, "Write the network of the first seed as ONNX: inputs and outputs: docs/formats/model.md");
  command->add_option("--export-split", request.split, "Write history.csv and test.csv into this folder: the same questions for other programs");
  command->add_flag("--resume", request.resume, "Go on from the last epoch of an interrupted run in --out");
  command->add_option("--key-file", shared.key_file, "File with the shop's key, when it is not where beckon.toml says");
  command->add_option("--as-of", shared.as_of, "Set the shop's clock: nothing later is seen");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("Nothing is chosen on the test part.\n"
                  "Example:  beckon evaluate sequences beauty.txt.gz --seeds 1,2,3 --out beauty\n"
                  "          beckon evaluate sequences --shop my-shop --protocol next-basket --split-time 2011-11-21 --out basket");
  command->callback([arguments, shop, &shared] { run_evaluation(shared, *arguments, shop->count() > 0); });
  declare_evaluate_uplift(*group, shared);
  declare_evaluate_price(*group, shared);
  declare_evaluate_ope(*group, shared);
  declare_evaluate_experiment(*group, shared);
}

}  // namespace beckon::cli
