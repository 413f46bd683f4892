#include "learned_effects.h"

#include <map>

#include "beckon/measure/evidence.h"

namespace beckon::engine {
namespace {

// Of one campaign period: an entry per offer and top category.
void add_findings(const Planned& planned, std::span<const measure::Outcome> outcomes, const std::map<std::string, std::string>& category_of,
                  std::vector<response::Finding>& findings) {
  for (const auto& offer : planned.campaign.offers) {
    const auto key = [&](const events::Decision& decision) {
      const auto category = category_of.find(decision.item);
      const std::string name = category == category_of.end() ? "" : category->second;
      return decision.offer == offer.id.str() ? "offer|" + name : "another";
    };
    for (const auto& [name, evidence] : measure::evidence_of(outcomes, key)) {
      if (name.starts_with("offer|")) {
        findings.push_back({offer.kind, offer.depth_bp, name.substr(6), measure::share_of(evidence)});
      }
    }
  }
}

}  // namespace

base::Result<response::EffectBook> learn_effects(const Context& context) {
  BECKON_TRY(const auto campaigns, planned_campaigns(context));
  std::map<std::string, std::string> category_of;
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  for (const auto& item : items) {
    category_of[item.id.str()] = item.top_category();
  }
  std::vector<response::Finding> findings;
  for (const auto& planned : campaigns) {
    const base::Instant ripe = planned.file.made_at.plus_ms(planned.campaign.attribution_days * base::kDayMs);
    if (planned.file.replay || ripe > context.clock->now()) {
      continue;
    }
    BECKON_TRY(const auto outcomes, outcomes_of(context, planned));
    add_findings(planned, outcomes, category_of, findings);
  }
  return response::EffectBook(context.config.shop, findings);
}

std::vector<decide::OfferEffect> effects_of(const response::EffectBook& book, const catalog::Campaign& campaign) {
  std::vector<decide::OfferEffect> out;
  for (const auto& offer : campaign.offers) {
    const response::Effect effect = book.of(offer);
    out.push_back({effect.extra_share, effect.low, effect.high, effect.grade, effect.customers, effect.customers_needed, effect.by_category});
  }
  return out;
}

std::vector<std::string> effect_lines(const catalog::Campaign& campaign, const std::vector<decide::OfferEffect>& effects) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const decide::OfferEffect& effect = effects[i];
    char line[320];
    std::snprintf(line, sizeof line, "offer %s: a message adds %.0f %% (%.0f … %.0f %%) of the purchases that would happen without it (%s",
                  campaign.offers[i].id.str().c_str(), effect.extra_share * 100, effect.low * 100, effect.high * 100, effect.grade.c_str());
    std::string text = line;
    if (effect.grade == "randomised") {
      text += ", " + base::with_thousands(effect.customers) + " customers chosen or held out)";
    } else if (effect.customers_needed > 0) {
      text += "; own groups so far: " + base::with_thousands(effect.customers) + " customers, about " + base::with_thousands(effect.customers_needed) +
              " more until this can be measured)";
    } else {
      text += ", no randomised data of this offer yet)";
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace beckon::engine
