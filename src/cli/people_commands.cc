#include <iostream>

#include "beckon/base/csv.h"
#include "commands.h"
#include "output.h"

namespace beckon::cli {
namespace {

void declare_explain(CLI::App& app, Shared& shared) {
  auto customer = std::make_shared<std::string>();
  auto campaign = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("explain", "Why this customer got this, or got nothing");
  command->add_option("CUSTOMER", *customer, "The shop's own id, or a pseudonym")->required();
  command->add_option("--campaign", *campaign, "Only this campaign");
  add_shared(*command, shared, false);
  command->footer("Example:  beckon explain c-1001 --campaign welcome");
  command->callback([customer, campaign, &shared] {
    run_or_ask(shared, {{"command", "explain"}, {"customer", *customer}, {"campaign", *campaign}});
  });
}

void declare_erase(CLI::App& app, Shared& shared) {
  auto customer = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("erase", "Remove everything about a customer; only a suppression row stays");
  command->add_option("CUSTOMER", *customer, "The shop's own id, or a pseudonym")->required();
  add_shared(*command, shared, false);
  command->footer("Example:  beckon erase c-1001");
  command->callback([customer, &shared] {
    run_step(shared, "erase", [customer](engine::Context& context) { return engine::erase(context, *customer); });
  });
}

// Streams rows: a large table never has to fit in memory.
base::Result<base::Json> stream_table(engine::Context& context, const std::string& table, const std::pair<base::Instant, bool>& since_and_csv) {
  std::int64_t rows = 0;
  BECKON_TRY_STATUS(engine::export_table(context, table, since_and_csv.first, [&](const base::Json& row) {
    if (!since_and_csv.second) {
      std::cout << base::to_line(row) << "\n";
    } else {
      std::vector<std::string> names;
      std::vector<std::string> cells;
      for (const auto& [name, value] : row.items()) {
        names.push_back(name);
        cells.push_back(value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump());
      }
      std::cout << (rows == 0 ? base::csv_line(names) : "") << base::csv_line(cells);
    }
    ++rows;
  }));
  std::cout << std::flush;
  return base::Json{{"table", table}, {"rows", rows}, {"exit", 0}};
}

void declare_export(CLI::App& app, Shared& shared) {
  struct Arguments {
    std::string customer;
    std::string table;
    std::string since;
    std::string format = "jsonl";
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("export", "All about one customer, or a table under pseudonyms");
  command->add_option("CUSTOMER", arguments->customer, "The shop's own id, or a pseudonym");
  command->add_option("--table", arguments->table, "events, decisions, deliveries or outcomes");
  command->add_option("--since", arguments->since, "Only rows from this time on");
  command->add_option("--format", arguments->format, "jsonl or csv")->check(CLI::IsMember({"jsonl", "csv"}));
  add_shared(*command, shared, false);
  command->footer("Example:  beckon export --table outcomes --since 2026-01-01 --format csv > outcomes.csv");
  command->callback([arguments, &shared] {
    if (arguments->customer.empty() == arguments->table.empty()) {
      shared.exit_code = 2;
      std::cerr << "beckon: name either a CUSTOMER or --table\n";
      return;
    }
    run_step(shared, "export", [arguments](engine::Context& context) -> base::Result<base::Json> {
      if (!arguments->customer.empty()) {
        return engine::export_customer(context, arguments->customer);
      }
      base::Instant since;
      if (!arguments->since.empty()) {
        BECKON_TRY(since, base::parse_time(arguments->since, base::Zone::utc()));
      }
      return stream_table(context, arguments->table, {since, arguments->format == "csv"});
    });
  });
}

void declare_doctor(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand("doctor", "Check environment, config, data and permissions; say how to mend");
  add_shared(*command, shared, false);
  command->footer("Example:  beckon doctor --json");
  command->callback([&shared] { run_or_ask(shared, {{"command", "doctor"}}); });
}

}  // namespace

void declare_people_commands(CLI::App& app, Shared& shared) {
  declare_explain(app, shared);
  declare_erase(app, shared);
  declare_export(app, shared);
  declare_doctor(app, shared);
}

}  // namespace beckon::cli
