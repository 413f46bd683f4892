#include <set>

#include "campaigns.h"
#include "judgement.h"

namespace beckon::engine {
namespace {

std::string plan_id(const PlanMaterial& material, const std::string& campaign_text) {
  base::Writer text;
  text.text(campaign_text);
  text.zigzag(material.input.now.ms);
  text.text(material.input.model);
  text.text(catalog::to_text(material.campaign.strategy));
  return base::to_hex(privacy::sha256(text.view()).substr(0, 6));
}

// Decisions of this period are replaced, except where a message is already on its way: its receipt must stay what it was.
base::Status keep_decisions(Context& context, const decide::PlanFile& file, store::WriteBatch changes) {
  const store::Records records(*context.rows);
  std::set<std::string> served;
  BECKON_TRY_STATUS(records.for_each_decision([&](const events::Decision& d) {
    if (d.campaign == file.campaign && d.period == file.period) {
      const auto sent = records.deliveries(d.customer);
      for (const auto& delivery : sent.value_or({})) {
        const bool waits = delivery.state == events::DeliveryState::kPlanned || delivery.state == events::DeliveryState::kHeld ||
                           delivery.state == events::DeliveryState::kDropped || delivery.state == events::DeliveryState::kCancelled;
        if (delivery.campaign == file.campaign && delivery.period == file.period && !waits) {
          served.insert(d.customer.bytes());
        }
      }
    }
    return true;
  }));
  std::size_t in_batch = 0;
  for (const auto& decision : file.plan.decisions) {
    if (served.contains(decision.customer.bytes())) {
      continue;
    }
    store::Records::put(decision, changes);
    if (++in_batch % 8192 == 0) {
      BECKON_TRY_STATUS(context.rows->write(changes));
      changes = {};
    }
  }
  return context.rows->write(changes);
}

}  // namespace

base::Result<PlanAnswer> plan(Context& context, const PlanRequest& request) {
  std::string text;
  BECKON_TRY(catalog::Campaign campaign, read_campaign(context, request.campaign_file, &text));
  if (!request.strategy.empty()) {
    BECKON_TRY(campaign.strategy, catalog::parse_strategy(request.strategy));
  }
  if (context.clock->now() > campaign.ends) {
    return base::failed_precondition("campaign " + campaign.id.str() + " ended on " + base::format_date(campaign.ends) +
                                     ": set a later ends in " + request.campaign_file);
  }
  BECKON_TRY_STATUS(read_template(context, campaign.template_id));
  BECKON_TRY(auto material, gather_plan(context, std::move(campaign), PlanScope::kReal));
  material->input.plan_id = plan_id(*material, text);
  PlanAnswer answer;
  BECKON_TRY(answer.file.plan, decide::make_plan(material->input));
  decide::PlanFile& file = answer.file;
  file.campaign = material->campaign.id.str();
  file.period = material->campaign.period;
  file.made_at = context.clock->now();
  file.replay = context.replay();
  file.campaign_text = text;
  file.assumptions = assumptions_of(context, *material);
  file.assumptions.insert(file.assumptions.end(), material->notes.begin(), material->notes.end());
  file.layers = material->input.layers;
  file.judgement = material->campaign.judgement;
  if (!material->trained.has_value()) {
    file.assumptions.push_back("no model was trained: scores come from own history and popularity");
  }
  BECKON_TRY(answer.sizes, size_advice(context, *material, file));
  if (request.dry_run) {
    return answer;
  }
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("plans")));
  const std::string stem = "plans/" + file.campaign + "-" + file.period + "-" + file.plan.id;
  answer.path = context.path(stem + ".jsonl");
  BECKON_TRY_STATUS(context.files->write_atomic(answer.path, decide::write_plan(file, *context.ring)));
  BECKON_TRY_STATUS(context.files->write_atomic(context.path(stem + ".csv"), decide::plan_csv(file.plan)));
  store::WriteBatch changes;
  store::Records::put_note("plan|" + file.campaign + "|" + file.period,
                           base::to_line({{"path", stem + ".jsonl"}, {"plan", file.plan.id}, {"made_at", base::format_time(file.made_at)}}),
                           changes);
  BECKON_TRY_STATUS(keep_decisions(context, file, std::move(changes)));
  return answer;
}

}  // namespace beckon::engine
