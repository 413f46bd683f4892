#include "beckon/decide/plan_file.h"
#include "commands.h"

namespace beckon::cli {
namespace {

void declare_plan(CLI::App& app, Shared& shared) {
  auto request = std::make_shared<engine::PlanRequest>();
  CLI::App* command = app.add_subcommand("plan", "Decide who gets what, inside the budgets");
  command->add_option("CAMPAIGN", request->campaign_file, "Campaign file (TOML)")->required();
  command->add_flag("--dry-run", request->dry_run, "Show the plan, write nothing");
  command->add_option("--strategy", request->strategy, "value, threshold, popular or random, instead of the campaign's");
  add_shared(*command, shared, true);
  command->footer("Example:  beckon plan campaigns/welcome.toml --dry-run");
  command->callback([request, &shared] {
    run_step(shared, "plan", [request](engine::Context& context) -> base::Result<base::Json> {
      BECKON_TRY(const engine::PlanAnswer answer, engine::plan(context, *request));
      base::Json json = decide::summary(answer.file);
      json["sizes"] = answer.sizes;
      json["file"] = answer.path;
      json["exit"] = 0;
      return json;
    });
  });
}

void declare_preview(CLI::App& app, Shared& shared) {
  auto request = std::make_shared<engine::PreviewRequest>();
  CLI::App* command = app.add_subcommand("preview", "The exact messages of a plan, per channel and language");
  command->add_option("PLAN", request->plan_file, "Plan file")->required();
  command->add_option("--customer", request->customer, "Only this customer (the shop's id or a pseudonym)");
  command->add_option("--sample", request->sample, "So many messages, evenly spread; at least one per channel and language");
  command->add_flag("--extremes", request->extremes, "Longest name, deepest discount, lowest margin, missing translation");
  add_shared(*command, shared, true);
  command->footer("Example:  beckon preview plans/welcome-1-ab12cd34ef56.jsonl --extremes");
  command->callback([request, &shared] {
    run_step(shared, "preview", [request](engine::Context& context) { return engine::preview(context, *request); });
  });
}

void declare_send(CLI::App& app, Shared& shared) {
  struct Arguments {
    engine::SendRequest request;
    bool pause = false;
    bool resume = false;
    bool cancel = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("send", "Deliver a plan, or control a running send");
  command->add_option("PLAN", arguments->request.plan_file, "Plan file; with --pause, --resume or --cancel the campaign's id")->required();
  command->add_option("--test-to", arguments->request.test_to, "Write the messages to this file; nothing is sent");
  command->add_flag("--wait", arguments->request.wait, "Stay until the last message was due (quiet hours, hours of the campaign)");
  auto* control = command->add_option_group("control");
  control->add_flag("--pause", arguments->pause, "Stop after the batch in hand");
  control->add_flag("--resume", arguments->resume, "Go on");
  control->add_flag("--cancel", arguments->cancel, "Cancel what has not left");
  control->require_option(0, 1);
  add_shared(*command, shared, true);
  command->footer("Run twice, it sends nothing twice.\nExample:  beckon send plans/welcome-1-ab12cd34ef56.jsonl");
  command->callback([arguments, &shared] {
    const std::string action = arguments->pause ? "pause" : arguments->resume ? "resume" : arguments->cancel ? "cancel" : "";
    if (!action.empty()) {
      run_or_ask(shared, {{"command", "send-control"}, {"campaign", arguments->request.plan_file}, {"action", action}});
      return;
    }
    run_step(shared, "send", [arguments](engine::Context& context) { return engine::send(context, arguments->request); });
  });
}

void declare_deliveries(CLI::App& app, Shared& shared) {
  auto state = std::make_shared<std::string>();
  auto campaign = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("deliveries", "The ledger: every message and its state");
  command->add_option("--state", *state, "planned, claimed, accepted, unknown, failed, dead, held, dropped or cancelled");
  command->add_option("--campaign", *campaign, "Only this campaign");
  add_shared(*command, shared, false);
  command->footer("Example:  beckon deliveries --state dropped");
  command->callback([state, campaign, &shared] {
    run_or_ask(shared, {{"command", "deliveries"}, {"state", *state}, {"campaign", *campaign}});
  });
}

void declare_report(CLI::App& app, Shared& shared) {
  struct Arguments {
    engine::ReportRequest report;
    engine::FinanceRequest finance;
    bool books = false;
    std::string html_path;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("report", "What came back: clicks, sales, spend, incremental lift with intervals; the books of a month");
  auto* campaign = command->add_option("CAMPAIGN", arguments->report.campaign, "Id of a campaign; all without it");
  command->add_option("--html", arguments->html_path, "Where to write the page (default reports/CAMPAIGN.html, reports/finance-MONTH.html)");
  auto* books = command->add_flag("--finance", arguments->books, "The books of a month, over all campaigns: coupons, discounts, costs, returns")->excludes(campaign);
  auto* month = command->add_option("--month", arguments->finance.month, "Month of the shop's calendar, such as 2026-03")->needs(books);
  books->needs(month);
  command->add_flag("--close", arguments->finance.close,
                    "Seal the month, and open ones before it: from two days after its end; it never changes again, what comes in late corrects the next")->needs(books);
  command->add_option("--csv", arguments->finance.csv_path, "Write the month as a table, too")->needs(books);
  add_shared(*command, shared, true);
  command->footer("Example:  beckon report welcome\n"
                  "          beckon report --finance --month 2026-03 --csv march.csv\n"
                  "          beckon report --finance --month 2026-03 --close");
  command->callback([arguments, &shared] {
    arguments->report.html_path = arguments->finance.html_path = arguments->html_path;
    if (arguments->books && (arguments->finance.close || !shared.as_of.empty())) {
      run_step(shared, "report", [arguments](engine::Context& context) { return engine::finance(context, arguments->finance); });
    } else if (arguments->books) {
      run_or_ask(shared, {{"command", "finance"}, {"month", arguments->finance.month}, {"csv", arguments->finance.csv_path}, {"html", arguments->html_path}});
    } else if (shared.as_of.empty()) {
      run_or_ask(shared, {{"command", "report"}, {"campaign", arguments->report.campaign}, {"html", arguments->html_path}});
    } else {
      run_step(shared, "report", [arguments](engine::Context& context) { return engine::report(context, arguments->report); });
    }
  });
}

}  // namespace

void declare_campaign_commands(CLI::App& app, Shared& shared) {
  declare_plan(app, shared);
  declare_preview(app, shared);
  declare_send(app, shared);
  declare_deliveries(app, shared);
  declare_report(app, shared);
}

}  // namespace beckon::cli
