#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

void declare_init(CLI::App& app, Shared& shared) {
  struct Arguments {
    std::string folder;
    std::string template_name = "csv";
    std::string key_file;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("init", "Make an empty shop: a commented beckon.toml, a key, sample files");
  command->add_option("DIR", arguments->folder, "Folder to make")->required();
  command->add_option("--template", arguments->template_name, "csv, segment, ga4, shopify, woocommerce, pos or zh-orders")->capture_default_str();
  command->add_option("--key-file", arguments->key_file, "Use (or write) the key there instead of DIR/beckon.key");
  command->add_flag("--json", shared.json, "Print the result as one line of JSON");
  command->add_flag("--quiet", shared.quiet, "No progress");
  command->footer("Example:  beckon init my-shop --template shopify");
  command->callback([arguments, &shared] {
    base::PosixFileSystem files;
    shared.exit_code = finish(engine::init_shop(files, {arguments->folder, arguments->template_name, arguments->key_file}), shared.json);
  });
}

void declare_catalog(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand("catalog", "Items: import a product feed, export items and promotions");
  command->require_subcommand(1);
  auto file = std::make_shared<std::string>();
  CLI::App* import = command->add_subcommand("import", "Google product feed (TSV, XML) or CSV with the mapping of beckon.toml");
  import->add_option("FILE", *file, "Feed; plain, gzip or zstd")->required();
  add_shared(*import, shared, false);
  import->footer("Example:  beckon catalog import products.csv");
  import->callback([file, &shared] {
    run_step(shared, "catalog import", [file](engine::Context& context) { return engine::import_catalog(context, *file); });
  });
  auto folder = std::make_shared<std::string>();
  CLI::App* write = command->add_subcommand("export", "Write items.tsv and promotions.tsv, as Google's feeds name the fields");
  write->add_option("DIR", *folder, "Folder to write into")->required();
  add_shared(*write, shared, false);
  write->footer("Example:  beckon catalog export feeds");
  write->callback([folder, &shared] {
    run_step(shared, "catalog export", [folder](engine::Context& context) { return engine::export_catalog(context, *folder); });
  });
}

void declare_ingest(CLI::App& app, Shared& shared) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("ingest", "Take in events: Segment, GA4 or CloudEvents lines, or CSV with a mapping");
  command->add_option("FILE", *files, "Files (plain, gzip, zstd), or - for stdin")->required();
  add_shared(*command, shared, true);
  command->footer("A file read twice adds nothing. Rejected rows are in data/rejects.jsonl with line, field and reason.\n"
                  "Example:  zcat clicks.jsonl.gz | beckon ingest -");
  command->callback([files, &shared] {
    run_step(shared, "ingest", [files](engine::Context& context) { return engine::ingest(context, *files); });
  });
}

void declare_train(CLI::App& app, Shared& shared) {
  auto request = std::make_shared<engine::TrainRequest>();
  CLI::App* command = app.add_subcommand("train", "Learn from the events: transformer, purchase and click heads, calibrated per item");
  command->add_flag("--resume", request->resume, "Go on from the last epoch of an interrupted run");
  command->add_flag("--pretrain", request->pretrain, "From the beginning, also where there is a pre-training to go on from");
  command->add_option("--with-shop", request->with_shops, "With --pretrain: learn from the customers of this shop's folder too; repeatable");
  command->add_option("--from", request->from, "Go on from this checkpoint (default: model/pretrained.safetensors, while it fits)");
  command->add_option_function<std::string>(
             "--update", [request](const std::string& what) { request->heads_only = what == "heads"; },
             "What the newest steps change: everything, or the purchase and click heads alone")
      ->check(CLI::IsMember({"everything", "heads"}));
  command->add_option("--tensorboard", request->tensorboard, "Write event files for TensorBoard into this folder");
  command->add_option("--export-onnx", request->onnx, "Write the network as ONNX: inputs and outputs: docs/formats/model.md");
  add_shared(*command, shared, true);
  command->footer(
      "The first training pre-trains on all steps; later ones go on from it and learn what is new, until much is new.\n"
      "Examples:\n"
      "  beckon train\n"
      "  beckon train --as-of 2026-03-01\n"
      "  beckon train --pretrain --with-shop ../other-shop\n"
      "  beckon train --from ../other-shop/model/pretrained.safetensors");
  command->callback([request, &shared] {
    run_step(shared, "train", [request](engine::Context& context) { return engine::train(context, *request); });
  });
}

}  // namespace

void declare_data_commands(CLI::App& app, Shared& shared) {
  declare_init(app, shared);
  declare_catalog(app, shared);
  declare_ingest(app, shared);
  declare_train(app, shared);
}

}  // namespace beckon::cli
