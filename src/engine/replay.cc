// A replay: nobody really received these messages, so this is a check of prediction and nothing else.
#include <algorithm>
#include <set>

#include "beckon/stats/stats.h"
#include "campaigns.h"
#include "pages.h"

namespace beckon::engine {
namespace {

constexpr std::array<catalog::Strategy, 4> kStrategies{catalog::Strategy::kValue, catalog::Strategy::kThreshold,
                                                       catalog::Strategy::kPopular, catalog::Strategy::kRandom};

struct Future {
  features::Dataset data;                                   ///< everything the store knows
  std::map<privacy::Pseudonym, std::size_t> index;
  base::Instant from;
  base::Instant until;
};

base::Result<Future> look_ahead(Context& context, const Planned& planned, const PlanMaterial& material) {
  Future future;
  future.from = planned.file.made_at;
  future.until = future.from.plus_ms(planned.campaign.attribution_days * base::kDayMs);
  features::DatasetOptions options;
  options.as_of = future.until;
  options.services = context.config.shop.services;
  BECKON_TRY(future.data, features::build_dataset(*context.rows, material.facts, options, &material.data.vocabulary));
  for (std::size_t i = 0; i < future.data.histories.size(); ++i) {
    future.index[future.data.histories[i].customer] = i;
  }
  return future;
}

// Tokens → their categories in order of first appearance.
std::vector<std::int32_t> to_categories(const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& category_of) {
  std::vector<std::int32_t> out;
  for (const std::int32_t token : tokens) {
    const std::int32_t category = category_of[static_cast<std::size_t>(token)];
    if (category >= 0 && std::find(out.begin(), out.end(), category) == out.end()) {
      out.push_back(category);
    }
  }
  return out;
}

std::vector<std::int32_t> category_numbers(const PlanMaterial& material) {
  std::map<std::string, std::int32_t> numbers;
  std::vector<std::int32_t> out(static_cast<std::size_t>(material.data.vocabulary.size()), -1);
  for (std::size_t i = 0; i < material.input.items.size(); ++i) {
    const std::int32_t token = material.token_of_item[i];
    const std::string& category = material.input.items[i].category;
    if (token > 0 && !category.empty()) {
      out[static_cast<std::size_t>(token)] = numbers.try_emplace(category, static_cast<std::int32_t>(numbers.size())).first->second;
    }
  }
  return out;
}

std::vector<std::int32_t> top_tokens(const std::vector<features::Scored>& scored, std::size_t count) {
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < scored.size() && i < count; ++i) {
    out.push_back(scored[i].token);
  }
  return out;
}

// Rankings of the whole catalogue against what was bought in the window, for items and for categories.
base::Json rankings(Context& context, const PlanMaterial& material, const Future& future) {
  constexpr std::size_t kDeep = 50;  // enough items to name ten categories
  std::vector<const features::History*> histories;
  std::vector<std::vector<std::int32_t>> items;
  std::vector<std::vector<std::int32_t>> categories;
  const auto category_of = category_numbers(material);
  for (const auto& history : future.data.histories) {
    const bool had_past = !features::seen(history, future.from).empty();
    histories.push_back(&history);
    items.push_back(had_past ? features::bought_between(history, future.from, future.until) : std::vector<std::int32_t>());
    categories.push_back(to_categories(items.back(), category_of));
  }
  const response::Scorer scorer(material.trained.has_value() ? &*material.trained->weights : nullptr, &material.floors,
                                material.trained.has_value() ? material.trained->item_response : response::ItemResponse::counting());
  const auto scored = scorer.score(histories, future.from, {}, kDeep, *context.executor);
  const auto popular = top_tokens(material.floors.popular(), kDeep);
  const std::vector<std::pair<std::string, std::function<std::vector<std::int32_t>(std::size_t)>>> methods{
      {"beckon",
       [&](std::size_t i) {
         std::vector<std::int32_t> list;
         for (const auto& entry : scored[i]) {
           list.push_back(entry.token);
         }
         return list;
       }},
      {"popular, last 7 days", [&](std::size_t) { return popular; }},
      {"own history", [&](std::size_t i) { return top_tokens(material.floors.own(*histories[i], future.from), kDeep); }},
      {"two-step Markov", [&](std::size_t i) { return top_tokens(material.floors.markov(*histories[i], future.from), kDeep); }}};
  base::Json out = base::Json::array();
  for (const auto& [name, list] : methods) {
    const auto by_item = judge(name, items, list);
    const auto by_category = judge(name, categories, [&](std::size_t i) { return to_categories(list(i), category_of); });
    out.push_back({{"name", name}, {"item_hit10", by_item.hit10}, {"item_ndcg10", by_item.ndcg10}, {"category_hit10", by_category.hit10},
                   {"category_ndcg10", by_category.ndcg10}, {"customers", by_item.customers}});
  }
  return out;
}

struct StrategyPlan {
  std::string name;
  decide::Plan plan;
};

// What one strategy's messages would have met.
base::Json describe(const StrategyPlan& strategy, const PlanMaterial& material, const Future& future) {
  std::set<std::string> distinct_items;
  std::map<std::string, std::int64_t> by_item;
  std::int64_t messages = 0;
  std::int64_t bought = 0;
  std::int64_t face_minor = 0;
  std::int64_t needless_minor = 0;
  for (const auto& d : strategy.plan.decisions) {
    if (!d.chosen || events::is_held_out(d.group)) {
      continue;
    }
    ++messages;
    ++by_item[d.item];
    face_minor += d.face_minor;
    const auto found = future.index.find(d.customer);
    if (found == future.index.end()) {
      continue;
    }
    const auto tokens = features::bought_between(future.data.histories[found->second], future.from, future.until);
    const bool did = std::binary_search(tokens.begin(), tokens.end(), material.data.vocabulary.token(d.item));
    bought += did ? 1 : 0;
    needless_minor += did ? d.face_minor : 0;
  }
  std::int64_t most = 0;
  for (const auto& [item, count] : by_item) {
    most = std::max(most, count);
  }
  const double total = std::max(1.0, static_cast<double>(messages));
  return {{"strategy", strategy.name}, {"messages", messages}, {"different_items", static_cast<std::int64_t>(by_item.size())},
          {"share_of_commonest_item", static_cast<double>(most) / total}, {"bought_anyway", bought},
          {"bought_anyway_share", static_cast<double>(bought) / total}, {"face_minor", face_minor},
          {"discount_to_people_who_bought_without_it_minor", needless_minor}};
}

double overlap(const decide::Plan& a, const decide::Plan& b) {
  const auto pairs = [](const decide::Plan& plan) {
    std::set<std::pair<privacy::Pseudonym, std::string>> out;
    for (const auto& d : plan.decisions) {
      if (d.chosen && !events::is_held_out(d.group)) {
        out.emplace(d.customer, d.item);
      }
    }
    return out;
  };
  const auto left = pairs(a);
  const auto right = pairs(b);
  std::vector<std::pair<privacy::Pseudonym, std::string>> both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
  const std::size_t either = left.size() + right.size() - both.size();
  return either == 0 ? 0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

// Predicted against bought, over every chosen pair of the value plan and its ghosts.
base::Json calibration(const decide::Plan& plan, const PlanMaterial& material, const Future& future) {
  std::vector<double> predicted;
  std::vector<std::uint8_t> outcome;
  for (const auto& person : material.input.persons) {
    const auto found = future.index.find(person.customer);
    for (const auto& item : person.items) {
      predicted.push_back(item.buy_probability);
      const std::int32_t token = material.token_of_item[static_cast<std::size_t>(item.item)];
      const auto tokens = found == future.index.end()
                              ? std::vector<std::int32_t>()
                              : features::bought_between(future.data.histories[found->second], future.from, future.until);
      outcome.push_back(std::binary_search(tokens.begin(), tokens.end(), token) ? 1 : 0);
    }
  }
  base::Json bins = base::Json::array();
  const auto table = stats::reliability_table(predicted, outcome);
  for (const auto& bin : table) {
    bins.push_back({{"predicted", bin.predicted}, {"observed", bin.observed.estimate}, {"low", bin.observed.low},
                    {"high", bin.observed.high}, {"count", bin.count}});
  }
  return {{"pairs", static_cast<std::int64_t>(predicted.size())}, {"plan", plan.id},
          {"expected_calibration_error", stats::expected_calibration_error(table)}, {"bins", bins}};
}

report::Table strategy_table(const base::Json& json, const std::string& currency) {
  using report::Align;
  report::Table table;
  table.title = "The four strategies, side by side";
  table.columns = {{"strategy", Align::kLeft}, {"messages", Align::kRight}, {"different items", Align::kRight}, {"commonest item", Align::kRight},
                   {"bought the item anyway", Align::kRight}, {"face value issued", Align::kRight, currency},
                   {"of it to people who bought without it", Align::kRight, currency}};
  for (const auto& row : json["strategies"]) {
    table.rows.push_back({base::string_or(row, "strategy"), base::with_thousands(base::int_or(row, "messages")),
                          base::with_thousands(base::int_or(row, "different_items")), percent(base::real_or(row, "share_of_commonest_item")),
                          percent(base::real_or(row, "bought_anyway_share")), amount(base::int_or(row, "face_minor"), currency),
                          amount(base::int_or(row, "discount_to_people_who_bought_without_it_minor"), currency)});
  }
  table.note = "No ranking: nobody received these messages. A strategy that looks for people whom a message changes may well score lower here, "
               "because it avoids those who buy anyway.";
  return table;
}

report::Table overlap_table(const base::Json& json) {
  report::Table table;
  table.title = "Overlap of the plans (same customer, same item)";
  table.columns = {{"", report::Align::kLeft}};
  for (const auto& row : json["overlap"]) {
    table.columns.push_back({base::string_or(row, "strategy"), report::Align::kRight});
  }
  for (const auto& row : json["overlap"]) {
    std::vector<std::string> cells{base::string_or(row, "strategy")};
    for (const auto& value : row["with"]) {
      cells.push_back(percent(value.get<double>(), 0));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

base::Result<base::Json> replay_json(Context& context, const Planned& planned) {
  BECKON_CHECK(context.manual != nullptr);
  const base::Instant now = context.clock->now();
  context.manual->set(planned.file.made_at);  // sending moved the clock on; the comparison starts where the plan was made
  auto gathered = gather_plan(context, planned.campaign, PlanScope::kHypothetical);
  if (!gathered.ok()) {
    return gathered.error();
  }
  PlanMaterial& material = **gathered;
  material.input.plan_id = planned.file.plan.id;
  BECKON_TRY(const Future future, look_ahead(context, planned, material));
  std::vector<StrategyPlan> plans;
  for (const auto strategy : kStrategies) {
    material.campaign.strategy = strategy;
    BECKON_TRY(auto plan, decide::make_plan(material.input));
    plans.push_back({std::string(catalog::to_text(strategy)), std::move(plan)});
  }
  base::Json strategies = base::Json::array();
  base::Json overlaps = base::Json::array();
  for (const auto& left : plans) {
    strategies.push_back(describe(left, material, future));
    base::Json with = base::Json::array();
    for (const auto& right : plans) {
      with.push_back(overlap(left.plan, right.plan));
    }
    overlaps.push_back({{"strategy", left.name}, {"with", with}});
  }
  base::Json out = {{"campaign", planned.file.campaign},
                    {"period", planned.file.period},
                    {"plan", planned.file.plan.id},
                    {"replay", true},
                    {"made_at", base::format_time(planned.file.made_at)},
                    {"compared_until", base::format_time(future.until)},
                    {"currency", std::string(context.config.shop.market(planned.campaign.market).currency.code())},
                    {"prediction", rankings(context, material, future)},
                    {"calibration", calibration(plans.front().plan, material, future)},
                    {"strategies", strategies},
                    {"overlap", overlaps},
                    {"assumptions", planned.file.assumptions},
                    {"plan_summary", decide::summary(planned.file)}};
  context.manual->set(now);
  return out;
}

report::Page replay_page(const Context& context, const base::Json& json) {
  using report::Align;
  const std::string currency = base::string_or(json, "currency");
  report::Page page;
  page.title = context.config.shop.name + ": " + base::string_or(json, "campaign") + " (replay)";
  page.subtitle = "Planned as of " + base::string_or(json, "made_at") + ", compared with what was bought until " + base::string_or(json, "compared_until");
  report::Section what;
  what.heading = "What this page is";
  what.callouts = {{report::CalloutKind::kWarning,
                    "A replay: nobody really received these messages. It checks prediction only. There is no revenue, profit or lift here, and no ranking of "
                    "strategies, because what a message changes cannot be seen where no message was sent."}};
  if (!context.config.shop.data_notice.empty()) {
    what.callouts.push_back({report::CalloutKind::kNotice, context.config.shop.data_notice});
  }
  report::Section prediction;
  prediction.heading = "Prediction against what came";
  report::Table table;
  table.title = "Ten names per customer against what he bought";
  table.columns = {{"method", Align::kLeft}, {"item hit rate@10", Align::kRight}, {"item NDCG@10", Align::kRight}, {"category hit rate@10", Align::kRight},
                   {"category NDCG@10", Align::kRight}, {"customers", Align::kRight}};
  report::Chart chart;
  chart.kind = report::ChartKind::kBars;
  chart.title = "NDCG@10";
  chart.x_label = "method";
  chart.y_label = "NDCG@10";
  chart.series = {{"items", {}, {}, {}}, {"categories", {}, {}, {}}};
  bool categories = false;  // a shop without a category path has nothing to show there
  for (const auto& row : json["prediction"]) {
    char item[16];
    char category[16];
    std::snprintf(item, sizeof item, "%.4f", base::real_or(row, "item_ndcg10"));
    std::snprintf(category, sizeof category, "%.4f", base::real_or(row, "category_ndcg10"));
    table.rows.push_back({base::string_or(row, "name"), percent(base::real_or(row, "item_hit10")), item, percent(base::real_or(row, "category_hit10")), category,
                          base::with_thousands(base::int_or(row, "customers"))});
    chart.categories.push_back(base::string_or(row, "name"));
    chart.series[0].y.push_back(base::real_or(row, "item_ndcg10"));
    chart.series[1].y.push_back(base::real_or(row, "category_ndcg10"));
    categories = categories || base::real_or(row, "category_ndcg10") > 0;
  }
  if (!categories) {
    chart.series.pop_back();
    table.columns.erase(table.columns.begin() + 3, table.columns.begin() + 5);
    for (auto& row : table.rows) {
      row.erase(row.begin() + 3, row.begin() + 5);
    }
  }
  prediction.tables = {table};
  prediction.charts = {chart};
  prediction.charts.push_back(reliability_chart("Predicted and bought, over the promoted items", json["calibration"]["bins"]));
  report::Section plans;
  plans.heading = "What the strategies would have done";
  plans.tables = {strategy_table(json, currency), overlap_table(json)};
  report::Section believed;
  believed.heading = "What is believed, not measured";
  for (const auto& text : json["assumptions"]) {
    believed.callouts.push_back({report::CalloutKind::kNotice, text.get<std::string>()});
  }
  page.sections = {what, prediction, plans, model_section(json["model_figures"]), believed};
  page.footer = context.config.shop.data_notice;
  return page;
}

}  // namespace beckon::engine
