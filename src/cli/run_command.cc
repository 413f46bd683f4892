#include <iostream>

#include "commands.h"

namespace beckon::cli {
namespace {

// Relative files of [run] lie in the shop folder.
std::string in_shop(const engine::Context& context, const std::string& file) {
  return file.starts_with("/") || file == "-" ? file : context.path(file);
}

void say(const engine::Context& context, const std::string& text) {
  if (!context.quiet) {
    std::cerr << text << std::endl;
  }
}

base::Result<base::Json> run_campaign(engine::Context& context, const std::string& file) {
  say(context, "plan " + file);
  BECKON_TRY(const engine::PlanAnswer planned, engine::plan(context, {in_shop(context, file), false, ""}));
  engine::SendRequest request;
  request.plan_file = planned.path;
  BECKON_TRY(base::Json sent, engine::send(context, request));
  BECKON_TRY(const base::Json report, engine::report(context, {planned.file.campaign, ""}));
  base::Json answer = report;
  answer.erase("text");
  return base::Json{{"plan", decide::summary(planned.file)}, {"plan_file", planned.path}, {"send", std::move(sent)},
                    {"report", answer["campaigns"]}, {"text", base::string_or(report, "text")}};
}

base::Result<base::Json> run_all(engine::Context& context) {
  const engine::Config& config = context.config;
  if (config.run_campaigns.empty()) {
    return base::failed_precondition("beckon.toml has no [run] campaigns: list the campaign files to plan, send and report");
  }
  base::Json out = base::Json::object();
  bool partial = false;
  for (const auto& file : config.run_catalog) {
    say(context, "catalog import " + file);
    BECKON_TRY(base::Json answer, engine::import_catalog(context, in_shop(context, file)));
    partial = partial || base::int_or(answer, "exit") == 5;
    say(context, base::to_line(answer));
    out["catalog"].push_back(std::move(answer));
  }
  if (!config.run_events.empty()) {
    std::vector<std::string> files;
    for (const auto& file : config.run_events) {
      files.push_back(in_shop(context, file));
    }
    BECKON_TRY(out["ingest"], engine::ingest(context, files));
    say(context, base::to_line(out["ingest"]));
    partial = partial || base::int_or(out["ingest"], "exit") == 5;
  }
  auto trained = engine::train(context, {});
  if (trained.ok()) {
    out["train"] = std::move(trained).value();
  } else if (trained.error().code == base::ErrorCode::kFailedPrecondition) {
    say(context, "train: " + trained.error().message);  // a small shop still gets a plan
    out["train"] = {{"skipped", trained.error().message}};
  } else {
    return trained.error();
  }
  for (const auto& file : config.run_campaigns) {
    BECKON_TRY(base::Json campaign, run_campaign(context, file));
    out["text"] = base::string_or(out, "text") + base::string_or(campaign, "text");
    campaign.erase("text");
    out["campaigns"].push_back(std::move(campaign));
  }
  out["exit"] = partial ? 5 : 0;
  return out;
}

}  // namespace

void declare_run_command(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand("run", "All of it in order: catalog, ingest, train, plan, send, report");
  add_shared(*command, shared, true);
  command->footer("What to read and plan stands in [run] of beckon.toml. Running again repeats nothing that is done.\n"
                  "Example:  beckon run --as-of 2026-03-01");
  command->callback([&shared] { run_step(shared, "run", run_all); });
}

}  // namespace beckon::cli
