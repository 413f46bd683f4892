#include "campaigns.h"

#include <algorithm>

#include "ages.h"
#include "audience.h"
#include "beckon/deliver/deliver.h"
#include "click_response.h"
#include "learned_effects.h"
#include "usual_list.h"

namespace beckon::engine {
namespace {

constexpr std::int64_t kPopularDays = 90;

// What is left of budgets and quantities after what earlier plans of this period have on the way.
base::Status reduce_to_what_is_left(const Context& context, catalog::Campaign& campaign) {
  BECKON_TRY(const auto counters, store::Records(*context.rows).counters(campaign.id.str() + "|" + campaign.period + "|"));
  for (auto& budget : campaign.budgets) {
    if (const auto found = counters.find(deliver::budget_counter(campaign, budget.id)); found != counters.end()) {
      const std::int64_t used = found->second.escrowed + found->second.settled;
      budget.amount = base::Money(std::max<std::int64_t>(0, budget.amount.minor() - used), budget.amount.currency());
    }
  }
  std::vector<catalog::Offer> offers;
  for (auto offer : campaign.offers) {
    const auto found = counters.find(deliver::quantity_counter(campaign, offer.id.str()));
    if (offer.quantity_max > 0 && found != counters.end()) {
      const std::int64_t left = offer.quantity_max - found->second.escrowed - found->second.settled;
      if (left <= 0) {
        continue;  // used up: 0 would mean "no limit"
      }
      offer.quantity_max = left;
    }
    offers.push_back(std::move(offer));
  }
  if (offers.empty()) {
    return base::failed_precondition("every offer of campaign " + campaign.id.str() + " is used up: raise a quantity or start a new period");
  }
  campaign.offers = std::move(offers);
  return base::ok_status();
}

// The `top` most bought eligible items of the last 90 days, and those that were never sold (new ones) are left out by it.
std::vector<bool> allowed_tokens(const PlanMaterial& material, base::Instant now) {
  const auto eligible = decide::eligible_items(material.input);
  std::vector<double> bought(static_cast<std::size_t>(material.data.vocabulary.size()), 0);
  for (const auto& history : material.data.histories) {
    for (const auto& step : history.steps) {
      if (step.type == features::StepType::kPurchase && step.at_ms > now.ms - kPopularDays * base::kDayMs) {
        ++bought[static_cast<std::size_t>(step.token)];
      }
    }
  }
  std::vector<std::int32_t> tokens;
  for (const std::int32_t item : eligible) {
    if (const std::int32_t token = material.token_of_item[static_cast<std::size_t>(item)]; token > 0) {
      tokens.push_back(token);
    }
  }
  std::sort(tokens.begin(), tokens.end(), [&](std::int32_t a, std::int32_t b) {
    const double left = bought[static_cast<std::size_t>(a)];
    const double right = bought[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  if (material.campaign.items.top > 0 && tokens.size() > static_cast<std::size_t>(material.campaign.items.top)) {
    tokens.resize(static_cast<std::size_t>(material.campaign.items.top));
  }
  std::vector<bool> allowed(static_cast<std::size_t>(material.data.vocabulary.size()), false);
  for (const std::int32_t token : tokens) {
    allowed[static_cast<std::size_t>(token)] = true;
  }
  return allowed;
}

struct ClickStats {
  double messages = 0;  // those whose clicks can have come by now
  std::int64_t clicks = 0;
};

ClickStats clicks_of(const features::History& history, const measure::DelayCurve& delay, base::Instant now) {
  const auto waiting = click_waits(history, now);
  const measure::RipeRate ripe = measure::ripe_rate(waiting, delay);
  return {ripe.exposure, ripe.answers};
}

base::Status make_persons(Context& context, PlanMaterial& material, const std::pair<std::vector<bool>, PlanScope>& allowed_and_scope) {
  const auto& [allowed, scope] = allowed_and_scope;
  std::map<privacy::Pseudonym, const features::History*> by_customer;
  ClickStats all;
  const base::Instant now = context.clock->now();
  const measure::DelayCurve delay = click_delay(material.data, now);
  for (const auto& history : material.data.histories) {
    by_customer[history.customer] = &history;
    const ClickStats own = clicks_of(history, delay, now);
    all.messages += own.messages;
    all.clicks += own.clicks;
  }
  const double average = all.messages > 0 ? static_cast<double>(all.clicks) / all.messages : 0.0;
  PersonMaker maker({&context, &material.campaign, &material.input.layers, scope});
  base::Status problem = base::ok_status();
  std::vector<const features::History*> scored;
  std::vector<std::size_t> scored_person;
  BECKON_TRY_STATUS(store::People(*context.rows).for_each([&](const privacy::Pseudonym& customer) {
    const auto found = by_customer.find(customer);
    const features::History* history = found == by_customer.end() ? nullptr : found->second;
    auto person = maker.make(customer, history);
    if (!person.ok()) {
      problem = person.error();
      return false;
    }
    if (history != nullptr && person->excluded.empty()) {
      const ClickStats own = clicks_of(*history, delay, now);
      person->click_ratio = response::click_ratio(own.clicks, own.messages, average);
      const catalog::Market& market = context.config.shop.market(material.campaign.market);
      const std::int64_t hour_ms = history->usual_hour * base::kHourMs;
      const std::int64_t midnight = context.clock->now().ms - context.clock->now().ms % base::kDayMs;
      person->usual_hour = history->usual_hour < 0 ? -1 : market.time_zone().to_local({midnight + hour_ms}).hour;
      if (person->personalisation.has_value() && !person->permits.empty()) {
        scored.push_back(history);
        scored_person.push_back(material.input.persons.size());
      }
    }
    material.input.persons.push_back(std::move(person).value());
    return !context.stop;
  }));
  BECKON_TRY_STATUS(problem);
  const response::Scorer scorer(material.trained.has_value() ? &*material.trained->weights : nullptr, &material.floors,
                                material.trained.has_value() ? material.trained->item_response : response::ItemResponse::counting());
  std::map<std::int32_t, std::int32_t> item_of_token;
  for (std::size_t i = 0; i < material.token_of_item.size(); ++i) {
    item_of_token[material.token_of_item[i]] = static_cast<std::int32_t>(i);
  }
  const auto count = static_cast<std::size_t>(material.campaign.items.per_customer);
  const auto lists = scorer.score(scored, context.clock->now(), allowed, count, *context.executor);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (const auto& item : lists[i]) {
      material.input.persons[scored_person[i]].items.push_back({item_of_token.at(item.token), item.probability, {}});
    }
  }
  BECKON_TRY_STATUS(add_clicks(context, {scored, scored_person}, material));
  for (const auto& item : scorer.popular(allowed, 50, static_cast<std::int64_t>(material.data.histories.size()))) {
    material.input.popular.push_back({item_of_token.at(item.token), item.probability, {}});
  }
  BECKON_TRY(const auto listed, read_usual_list(context, material));
  for (auto& person : material.input.persons) {
    if (const auto found = listed.find(person.customer); person.group == events::Group::kUsual && found != listed.end()) {
      person.listed = found->second;
    }
  }
  return base::ok_status();
}

}  // namespace

base::Result<catalog::Campaign> read_campaign(const Context& context, const std::string& file, std::string* text) {
  std::string path = file;
  if (!context.files->exists(path) && context.files->exists(context.path(file))) {
    path = context.path(file);
  }
  BECKON_TRY(const std::string bytes, context.files->read(path));
  if (text != nullptr) {
    *text = bytes;
  }
  return catalog::load_campaign(bytes, path, context.config.shop);
}

base::Result<catalog::Template> read_template(const Context& context, const std::string& id) {
  if (id == catalog::built_in_template().id) {
    return catalog::built_in_template();
  }
  const std::string path = context.path("templates/" + id + ".toml");
  const auto text = context.files->read(path);
  if (!text.ok()) {
    return base::invalid_argument("template '" + id + "' is neither built in (standard) nor in " + path);
  }
  return catalog::load_template(*text, path);
}

std::vector<std::string> assumptions_of(const Context& context, const PlanMaterial& material) {
  const catalog::Campaign& campaign = material.campaign;
  const catalog::Shop& shop = context.config.shop;
  std::vector<std::string> out = effect_lines(campaign, material.input.effects);
  char line[200];
  std::snprintf(line, sizeof line, "margin of items without a cost: %.1f %% of the price (%s)", static_cast<double>(shop.margin_bp) / 100,
                shop.margin_stated ? "stated in beckon.toml" : "default, not stated by the shop");
  out.emplace_back(line);
  for (const auto& import : shop.consent_imports) {
    out.push_back("consent of imported customers: " + import.basis + ", " + import.source + ", " + base::format_date(import.at));
  }
  const catalog::Market& market = shop.market(campaign.market);
  out.push_back(market.zone.empty() ? "no time zone is named: customers without one are not written to"
                                    : "customers without a zone live in " + market.zone);
  return out;
}

base::Result<std::unique_ptr<PlanMaterial>> gather_plan(Context& context, catalog::Campaign campaign, PlanScope scope) {
  auto material = std::make_unique<PlanMaterial>();
  material->campaign = std::move(campaign);
  if (scope == PlanScope::kReal) {
    BECKON_TRY_STATUS(reduce_to_what_is_left(context, material->campaign));
  }
  auto trained = load_model(context);
  if (!trained.ok()) {
    return trained.error();
  }
  material->trained = std::move(trained).value();
  if (!material->trained.has_value()) {
    ++context.metrics.counter("beckon_degraded_total{mode=\"model_missing\"}");
  }
  BECKON_TRY(material->input.items, store::Shelf(*context.rows).items());
  const base::Instant now = context.clock->now();
  features::DatasetOptions options;
  options.as_of = now;
  options.items_max = context.config.shop.train.items_max;
  options.item_events_min = 1;  // without a model there is nothing to learn from a rare item, but it can be counted
  options.services = context.config.shop.services;
  const TrainedModel* model = material->trained.has_value() ? &*material->trained : nullptr;
  material->facts = facts_of(context.config, material->input.items, model != nullptr ? &model->words : nullptr);
  BECKON_TRY(material->data, features::build_dataset(*context.rows, material->facts, options, model != nullptr ? &model->vocabulary : nullptr));
  material->floors = features::Floors::fit(material->data, now);
  decide::PlanInput& input = material->input;
  input.shop = &context.config.shop;
  input.campaign = &material->campaign;
  input.now = now;
  input.model = material->trained.has_value() ? material->trained->version : "recency";
  input.executor = context.executor.get();
  for (const auto& item : input.items) {
    material->token_of_item.push_back(material->data.vocabulary.token(item.id.str()));
  }
  BECKON_TRY(input.layers, layers_of(context, material->campaign));
  BECKON_TRY(const response::EffectBook effects, learn_effects(context));
  input.effects = effects_of(effects, material->campaign);
  const auto returns = returns_of(context);
  if (!returns.ok() && returns.error().code != base::ErrorCode::kFailedPrecondition) {
    return returns.error();  // too few returns are no fault, a store that cannot be read is one
  }
  if (returns.ok()) {
    for (const auto& item : input.items) {
      input.return_share.push_back(returns->still_to_come(item.id.str(), 0));
    }
    char line[160];
    std::snprintf(line, sizeof line, "%.1f %% of sales are expected to come back, by category (from %lld returns of this shop)", 100 * returns->rate(),
                  static_cast<long long>(returns->delay().answers()));
    material->notes.emplace_back(line);
  }
  const auto allowed = allowed_tokens(*material, now);
  BECKON_TRY_STATUS(make_persons(context, *material, {allowed, scope}));
  if (context.stop) {
    return base::unavailable("interrupted: nothing was planned");
  }
  return material;
}

base::Result<decide::PlanFile> load_plan(const Context& context, const std::string& path) {
  const std::string found = context.files->exists(path) ? path : context.path(path);
  BECKON_TRY(const std::string text, context.files->read(found));
  return decide::read_plan(text, found, *context.ring);
}

base::Result<std::string> latest_plan(const Context& context, const std::string& campaign) {
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes("plan|" + campaign + "|"));
  if (notes.empty()) {
    return base::not_found("campaign '" + campaign + "' was not planned yet: beckon plan CAMPAIGN.toml");
  }
  std::string best_path;
  std::string best_time;
  for (const auto& [name, text] : notes) {
    const auto json = base::parse_json(text);
    const std::string time = json.ok() ? base::string_or(*json, "made_at") : "";
    if (json.ok() && time >= best_time) {
      best_time = time;
      best_path = base::string_or(*json, "path");
    }
  }
  return best_path;
}

}  // namespace beckon::engine
