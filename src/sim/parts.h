#pragma once
// Private to sim: what the steps of a simulation share.

#include <map>
#include <string>
#include <vector>

#include "beckon/catalog/catalog.h"
#include "beckon/report/report.h"
#include "beckon/sim/sim.h"

namespace beckon::sim {

constexpr const char* kCampaign = "promotion";
constexpr std::int64_t kCampaignDays = 3;      ///< in which messages may leave
constexpr std::int64_t kAttributionDays = 8;   ///< a day to leave, and the week in which a message works
constexpr std::int64_t kOutcomeDays = 14;      ///< until coupons have expired and are settled
constexpr int kEpochsMax = 6;                  ///< enough for a demonstration; training stays under a minute

std::string history_file(const Simulation& simulation, std::int64_t part);

/// Customer's number of every pseudonym and address.
struct Directory {
  std::map<std::string, std::int64_t> by_pseudonym;
  std::map<std::string, std::int64_t> by_address;   ///< id and e-mail address, as they stand in an outbox
};
Directory directory_of(const engine::Context& context, const market::Market& world);

/// What left the shop, as those who got it see it: every line of every outbox file.
base::Result<std::vector<market::Treatment>> read_outbox(engine::Context& context, const Simulation& simulation, const Directory& directory);

/// Estimates of the report beside what is true: {"messages", "comparisons": […], "by_nature": […]}.
base::Result<base::Json> truth_of(engine::Context& context, const Simulation& simulation, const std::vector<market::Treatment>& messages,
                                  const base::Json& campaign_report);

/// What the plan of each strategy would bring on average: [{"strategy", "messages", "planned_minor", "true_extra_margin_minor"}].
base::Result<base::Json> compare_strategies(engine::Context& context, const Simulation& simulation);

report::Page simulation_page(const base::Json& answer);

}  // namespace beckon::sim
