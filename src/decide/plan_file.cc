#include "beckon/decide/plan_file.h"

#include "beckon/base/csv.h"

namespace beckon::decide {
namespace {

constexpr std::int64_t kSchemaVersion = 1;

base::Json budgets_json(const Plan& plan) {
  base::Json out = base::Json::array();
  for (const auto& budget : plan.budgets) {
    out.push_back({{"id", budget.id},
                   {"basis", std::string(catalog::to_text(budget.basis))},
                   {"limit_minor", budget.limit_minor},
                   {"planned_minor", budget.planned_minor},
                   {"ghost_minor", budget.ghost_minor},
                   {"extra_profit_per_unit", budget.price_of_one_ratio}});
  }
  return out;
}

base::Json shares_json(const measure::Layers& layers) {
  return {{"global_holdout", layers.global_holdout}, {"global_salt", layers.global_salt}, {"holdout", layers.holdout},
          {"usual", layers.usual}, {"random", layers.random}, {"salt", layers.salt}};
}

measure::Layers read_shares(const base::Json& json) {
  return {base::real_or(json, "global_holdout"), base::string_or(json, "global_salt"), base::real_or(json, "holdout"),
          base::real_or(json, "usual"), base::real_or(json, "random"), base::string_or(json, "salt")};
}

base::Json effects_json(const Plan& plan) {
  base::Json out = base::Json::array();
  for (const auto& [offer, effect] : plan.effects) {
    out.push_back({{"offer", offer}, {"extra_share", effect.extra_share}, {"low", effect.low}, {"high", effect.high}, {"grade", effect.grade},
                   {"customers", effect.customers}, {"customers_needed", effect.customers_needed}, {"categories", effect.by_category}});
  }
  return out;
}

void read_effects(const base::Json& json, Plan& plan) {
  for (const auto& row : json.value("effects", base::Json::array())) {
    OfferEffect effect{base::real_or(row, "extra_share"), base::real_or(row, "low"), base::real_or(row, "high"), base::string_or(row, "grade"),
                       base::int_or(row, "customers"), base::int_or(row, "customers_needed")};
    const base::Json categories = row.value("categories", base::Json::object());
    for (const auto& [name, share] : categories.items()) {
      effect.by_category[name] = share.is_number() ? share.get<double>() : effect.extra_share;
    }
    plan.effects[base::string_or(row, "offer")] = effect;
  }
  const base::Json by_grade = json.value("value_by_grade", base::Json::object());
  for (const auto& [grade, total] : by_grade.items()) {
    plan.by_grade[grade] = {base::int_or(total, "messages"), base::real_or(total, "value_minor") * 1e6};
  }
}

base::Json by_grade_json(const Plan& plan) {
  base::Json out = base::Json::object();
  for (const auto& [grade, total] : plan.by_grade) {
    out[grade] = {{"messages", total.messages}, {"value_minor", total.value_micro / 1e6}};
  }
  return out;
}

std::int64_t count_of(const base::Json& value) { return value.is_number_integer() ? value.get<std::int64_t>() : 0; }

void read_header(const base::Json& json, PlanFile& file) {
  file.campaign = base::string_or(json, "campaign");
  file.period = base::string_or(json, "period");
  file.plan.id = base::string_or(json, "plan");
  file.made_at = base::parse_time(base::string_or(json, "made_at"), base::Zone::utc()).value_or({});
  file.replay = base::bool_or(json, "replay");
  file.campaign_text = base::string_or(json, "campaign_file");
  for (const auto& text : json.value("assumptions", base::Json::array())) {
    if (text.is_string()) {
      file.assumptions.push_back(text.get<std::string>());
    }
  }
  const base::Json certificate = json.value("certificate", base::Json::object());
  file.plan.certificate = {base::real_or(certificate, "value_minor") * 1e6, base::real_or(certificate, "upper_bound_minor") * 1e6,
                           base::real_or(certificate, "gap"), base::bool_or(certificate, "optimising")};
  for (const auto& budget : json.value("budgets", base::Json::array())) {
    file.plan.budgets.push_back({base::string_or(budget, "id"),
                                 base::string_or(budget, "basis") == "face" ? catalog::BudgetBasis::kFace
                                                                            : catalog::BudgetBasis::kExpected,
                                 base::int_or(budget, "limit_minor"), base::int_or(budget, "planned_minor"),
                                 base::int_or(budget, "ghost_minor"), base::real_or(budget, "extra_profit_per_unit")});
  }
  const base::Json offers = json.value("offers", base::Json::object());
  for (const auto& [id, offer] : offers.items()) {
    file.plan.offers[id] = {base::int_or(offer, "chosen"), base::int_or(offer, "ghosts"), base::int_or(offer, "face_minor"),
                            base::real_or(offer, "value_minor") * 1e6};
  }
  const base::Json reasons = json.value("not_chosen", base::Json::object());
  for (const auto& [reason, count] : reasons.items()) {
    file.plan.reasons[reason] = count_of(count);
  }
  const base::Json groups = json.value("groups", base::Json::object());
  for (const auto& [group, count] : groups.items()) {
    file.plan.groups[group] = count_of(count);
  }
  file.plan.candidates = base::int_or(json, "candidates");
  read_effects(json, file.plan);
  file.layers = read_shares(json.value("shares", base::Json::object()));
  const base::Json judgement = json.value("judgement", base::Json::object());
  file.judgement = {base::string_or(judgement, "metric"), base::int_or(judgement, "horizon_days")};
}

}  // namespace

base::Json summary(const PlanFile& file) {
  base::Json offers = base::Json::object();
  for (const auto& [id, total] : file.plan.offers) {
    offers[id] = {{"chosen", total.chosen}, {"ghosts", total.ghosts}, {"face_minor", total.face_minor},
                  {"value_minor", total.value_micro / 1e6}};
  }
  const Certificate& certificate = file.plan.certificate;
  base::Json out = {{"schema", kSchemaVersion},
                    {"campaign", file.campaign},
                    {"period", file.period},
                    {"plan", file.plan.id},
                    {"made_at", base::format_time(file.made_at)},
                    {"replay", file.replay},
                    {"customers", static_cast<std::int64_t>(file.plan.decisions.size())},
                    {"candidates", file.plan.candidates},
                    {"groups", file.plan.groups},
                    {"shares", shares_json(file.layers)},
                    {"judgement", {{"metric", file.judgement.metric}, {"horizon_days", file.judgement.horizon_days}}},
                    {"offers", offers},
                    {"effects", effects_json(file.plan)},
                    {"value_by_grade", by_grade_json(file.plan)},
                    {"budgets", budgets_json(file.plan)},
                    {"not_chosen", file.plan.reasons},
                    {"certificate",
                     {{"optimising", certificate.optimising},
                      {"value_minor", certificate.value_micro / 1e6},
                      {"upper_bound_minor", certificate.upper_bound_micro / 1e6},
                      {"gap", certificate.gap}}},
                    {"assumptions", file.assumptions}};
  return out;
}

std::string write_plan(const PlanFile& file, const privacy::KeyRing& ring) {
  base::Json header = summary(file);
  header["campaign_file"] = file.campaign_text;
  std::string out = base::to_line(header) + "\n";
  for (const auto& decision : file.plan.decisions) {
    out += base::to_line(events::to_json(decision)) + "\n";
  }
  const std::string seal = ring.seal_of(out);
  return out + base::to_line({{"seal", seal}}) + "\n";
}

base::Result<PlanFile> read_plan(std::string_view text, const std::string& name, const privacy::KeyRing& ring) {
  const auto refused = [&](const std::string& why) {
    return base::invalid_argument(name + ": " + why + ": make the plan again with beckon plan");
  };
  const auto last = text.size() < 2 ? std::string_view::npos : text.rfind('\n', text.size() - 2);
  if (last == std::string_view::npos || text.back() != '\n') {
    return refused("the plan is truncated");
  }
  const auto seal = base::parse_json(text.substr(last + 1));
  if (!seal.ok() || base::string_or(*seal, "seal").empty()) {
    return refused("the plan is truncated, its last line is no seal");
  }
  if (base::string_or(*seal, "seal") != ring.seal_of(text.substr(0, last + 1))) {
    return refused("the plan was changed after it was made, or belongs to another shop");
  }
  PlanFile file;
  std::size_t line_number = 0;
  for (std::size_t at = 0; at <= last; ++line_number) {
    const std::size_t end = text.find('\n', at);
    const auto json = base::parse_json(text.substr(at, end - at));
    if (!json.ok()) {
      return refused("line " + std::to_string(line_number + 1) + " is not JSON");
    }
    if (line_number == 0) {
      if (base::int_or(*json, "schema") != kSchemaVersion) {
        return refused("the plan has another schema version");
      }
      read_header(*json, file);
    } else {
      auto decision = events::decision_from_json(*json);
      if (!decision.ok()) {
        return refused("line " + std::to_string(line_number + 1) + ": " + decision.error().message);
      }
      file.plan.decisions.push_back(std::move(decision).value());
    }
    at = end + 1;
  }
  return file;
}

std::string plan_csv(const Plan& plan) {
  std::string out;
  for (const auto& decision : plan.decisions) {
    const base::Json json = events::to_json(decision);
    std::vector<std::string> names;
    std::vector<std::string> row;
    for (const auto& [key, value] : json.items()) {
      names.push_back(key);
      row.push_back(value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump());
    }
    if (out.empty()) {
      out = base::csv_line(names);
    }
    out += base::csv_line(row);
  }
  return out;
}

}  // namespace beckon::decide
