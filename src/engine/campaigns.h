#pragma once
// Private to engine: a campaign and everything scored for it.

#include <string>
#include <vector>

#include "beckon/engine/engine.h"
#include "scoring.h"

namespace beckon::engine {

base::Result<catalog::Campaign> read_campaign(const Context& context, const std::string& file, std::string* text = nullptr);
/// Built-in "standard", or templates/<id>.toml of the shop.
base::Result<catalog::Template> read_template(const Context& context, const std::string& id);

/// Everything a plan is made of. Owned here; PlanInput points into it.
struct PlanMaterial {
  catalog::Campaign campaign;           ///< budgets and quantities reduced by what is escrowed and settled
  features::Dataset data;
  features::ItemFacts facts;            ///< with the words of the trained model
  std::optional<TrainedModel> trained;
  features::Floors floors;
  decide::PlanInput input;
  std::vector<std::int32_t> token_of_item;   ///< parallel to input.items
  std::vector<std::string> notes;            ///< what a reader of the plan should know: rows of a list that were left out, …
};
/// What the values rest on, believed or measured; listed in plan and report.
std::vector<std::string> assumptions_of(const Context& context, const PlanMaterial& material);

/// kReal looks at the ledger: what was sent is not planned again, what is escrowed is not spent again. kHypothetical does not: for
/// comparing strategies.
enum class PlanScope { kReal, kHypothetical };
base::Result<std::unique_ptr<PlanMaterial>> gather_plan(Context& context, catalog::Campaign campaign, PlanScope scope);

/// The newest plan file of a campaign, or not_found.
base::Result<std::string> latest_plan(const Context& context, const std::string& campaign);
base::Result<decide::PlanFile> load_plan(const Context& context, const std::string& path);

}  // namespace beckon::engine
