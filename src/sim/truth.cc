// What is true: the same weeks with and without exactly these messages, by the same dice.
#include <array>
#include <cmath>

#include "beckon/decide/decide.h"
#include "parts.h"

namespace beckon::sim {
namespace {

constexpr int kPaths = 40;  // futures per message for an expected effect

struct Sums {
  double purchases = 0;
  double revenue_minor = 0;
  double margin_minor = 0;
};

// What each customer brought in the weeks that the report looks at.
std::vector<Sums> lived(const market::Market& world, std::span<const market::Treatment> messages, base::Instant decided_at) {
  std::vector<Sums> sums(world.people().size());
  const base::Instant until = decided_at.plus_ms(kAttributionDays * base::kDayMs + 1);
  for (const auto& event : world.respond(messages, decided_at.plus_ms(1), until)) {
    if (event.kind == market::EventKind::kPurchase) {
      Sums& own = sums[static_cast<std::size_t>(event.customer)];
      const market::Item& item = world.items()[static_cast<std::size_t>(event.item)];
      own.purchases += 1;
      own.revenue_minor += static_cast<double>(event.quantity * event.unit_price_minor);
      own.margin_minor += static_cast<double>(event.quantity * (event.unit_price_minor - item.cost_minor));
    }
  }
  return sums;
}

double send_cost_minor(const engine::Context& context, const market::Treatment& message) {
  return static_cast<double>(context.config.shop.channels.at(message.channel).send_cost_micro) / 1e6;
}

struct Assigned {
  std::string group;
  bool chosen = false;
};

base::Result<std::map<std::int64_t, Assigned>> assignment(engine::Context& context, const Directory& directory) {
  std::map<std::int64_t, Assigned> out;
  BECKON_TRY_STATUS(engine::export_table(context, "decisions", base::Instant{}, [&](const base::Json& row) {
    const auto found = directory.by_pseudonym.find(base::string_or(row, "customer"));
    if (found != directory.by_pseudonym.end()) {
      out[found->second] = {base::string_or(row, "group"), base::bool_or(row, "chosen")};
    }
  }));
  return out;
}

// Mean difference over the customers of a comparison.
class Differences {
 public:
  Differences(const std::vector<Sums>& with, const std::vector<Sums>& without) : with_(with), without_(without) {}
  double of(const std::string& metric, std::size_t customer) const {
    const Sums& a = with_[customer];
    const Sums& b = without_[customer];
    if (metric == "conversion") {
      return (a.purchases > 0 ? 1.0 : 0.0) - (b.purchases > 0 ? 1.0 : 0.0);
    }
    return metric == "revenue" ? a.revenue_minor - b.revenue_minor : a.margin_minor - b.margin_minor;
  }
  double mean(const std::string& metric, const std::vector<std::size_t>& customers) const {
    double sum = 0;
    for (const std::size_t customer : customers) {
      sum += of(metric, customer);
    }
    return customers.empty() ? 0 : sum / static_cast<double>(customers.size());
  }

 private:
  const std::vector<Sums>& with_;
  const std::vector<Sums>& without_;
};

base::Json comparison(const std::string& metric, const base::Json& lift, double truth) {
  const bool known = base::bool_or(lift, "known");
  const double low = base::real_or(lift, "low");
  const double high = base::real_or(lift, "high");
  return {{"metric", metric}, {"compared", base::string_or(lift, "name")}, {"estimate", base::real_or(lift, "difference")},
          {"low", low}, {"high", high}, {"known", known}, {"truth", truth},
          {"holds_truth", known && low <= truth && truth <= high}, {"holds_zero", known && low <= 0 && 0 <= high}};
}

std::string name_of(market::Nature nature) {
  static constexpr std::array<const char*, 4> kNames{"sure things", "persuadables", "lost causes", "sleeping dogs"};
  return kNames.at(static_cast<std::size_t>(nature));
}

// Expected extra margin of each message, send cost paid.
std::vector<double> expected_margins(const engine::Context& context, const Simulation& simulation,
                                     const std::vector<market::Treatment>& messages) {
  std::vector<double> out(messages.size(), 0);
  if (messages.empty()) {
    return out;
  }
  simulation.market->true_effect(messages.front(), 1);  // plays the past once, on all workers; a task could not
  simulation.executor->run(messages.size(), [&](std::size_t i) {
    out[i] = simulation.market->true_effect(messages[i], kPaths).margin_minor - send_cost_minor(context, messages[i]);
  });
  return out;
}

base::Json by_nature(const Simulation& simulation, const std::vector<market::Treatment>& messages, const std::vector<double>& expected) {
  struct Row {
    std::int64_t customers = 0;
    std::int64_t messages = 0;
    double margin_minor = 0;
  };
  std::map<market::Nature, Row> rows;
  for (std::int64_t customer = 0; customer < simulation.options.customers; ++customer) {
    ++rows[simulation.market->nature(customer)].customers;
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Row& row = rows[simulation.market->nature(messages[i].customer)];
    ++row.messages;
    row.margin_minor += expected[i];
  }
  base::Json out = base::Json::array();
  for (const auto& [nature, row] : rows) {
    out.push_back({{"nature", name_of(nature)}, {"customers", row.customers}, {"messages", row.messages},
                   {"expected_extra_margin_minor", row.margin_minor}});
  }
  return out;
}

// A plan as messages that all leave at noon of the first day: comparable, whatever the send step would do.
std::vector<market::Treatment> as_messages(const Simulation& simulation, const decide::PlanFile& file, const catalog::Campaign& campaign,
                                           const Directory& directory) {
  std::map<std::string, std::int64_t> item_index;
  for (std::size_t i = 0; i < simulation.market->items().size(); ++i) {
    item_index[simulation.market->items()[i].id] = static_cast<std::int64_t>(i);
  }
  std::vector<market::Treatment> out;
  for (const auto& decision : file.plan.decisions) {
    if (!decision.chosen || decision.group != events::Group::kTreated) {
      continue;
    }
    market::Treatment message;
    message.customer = directory.by_pseudonym.at(decision.customer.text());
    message.item = item_index.at(decision.item);
    message.discount_bp = campaign.offer(base::OfferId(decision.offer))->depth_bp;
    message.channel = decision.channel;
    message.at = simulation.starts.plus_ms(12 * base::kHourMs);
    out.push_back(std::move(message));
  }
  return out;
}

}  // namespace

base::Result<base::Json> truth_of(engine::Context& context, const Simulation& simulation, const std::vector<market::Treatment>& messages,
                                  const base::Json& campaign_report) {
  const Directory directory = directory_of(context, *simulation.market);
  BECKON_TRY(const auto assigned, assignment(context, directory));
  std::vector<Sums> with = lived(*simulation.market, messages, simulation.starts);
  const std::vector<Sums> without = lived(*simulation.market, {}, simulation.starts);
  for (const auto& message : messages) {
    with[static_cast<std::size_t>(message.customer)].margin_minor -= send_cost_minor(context, message);
  }
  std::vector<std::size_t> audience;
  std::vector<std::size_t> chosen;
  for (const auto& [customer, own] : assigned) {
    if (own.group == "treated" || own.group == "random") {
      audience.push_back(static_cast<std::size_t>(customer));
    }
    if (own.group == "treated" && own.chosen) {
      chosen.push_back(static_cast<std::size_t>(customer));
    }
  }
  const Differences differences(with, without);
  base::Json comparisons = base::Json::array();
  for (const std::string metric : {"conversion", "revenue", "margin"}) {
    const base::Json& lifts = campaign_report["lift"][metric];
    comparisons.push_back(comparison(metric, lifts[0], differences.mean(metric, audience)));
    comparisons.push_back(comparison(metric, lifts[1], differences.mean(metric, chosen)));
  }
  const auto expected = expected_margins(context, simulation, messages);
  double total = 0;
  for (const double margin : expected) {
    total += margin;
  }
  const double realised = differences.mean("margin", audience) * static_cast<double>(audience.size());
  return base::Json{{"messages", static_cast<std::int64_t>(messages.size())},
                    {"extra_margin_minor", realised},
                    {"expected_extra_margin_minor", total},
                    {"comparisons", std::move(comparisons)},
                    {"by_nature", by_nature(simulation, messages, expected)}};
}

base::Result<base::Json> compare_strategies(engine::Context& context, const Simulation& simulation) {
  const Directory directory = directory_of(context, *simulation.market);
  base::Json out = base::Json::array();
  for (const char* strategy : {"value", "threshold", "popular", "random"}) {
    BECKON_TRY(const auto answer, engine::plan(context, {simulation.campaign_file, true, strategy}));
    BECKON_TRY(const auto campaign, catalog::load_campaign(answer.file.campaign_text, simulation.campaign_file, context.config.shop));
    const auto messages = as_messages(simulation, answer.file, campaign, directory);
    double total = 0;
    for (const double margin : expected_margins(context, simulation, messages)) {
      total += margin;
    }
    const auto& budgets = answer.file.plan.budgets;
    out.push_back({{"strategy", strategy}, {"messages", static_cast<std::int64_t>(messages.size())},
                   {"planned_minor", budgets.empty() ? 0 : budgets.front().planned_minor}, {"expected_extra_margin_minor", total}});
  }
  return out;
}

}  // namespace beckon::sim
