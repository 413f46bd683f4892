#include "scoring.h"

#include "beckon/model/ranking.h"

namespace beckon::engine {
namespace {
constexpr std::int64_t kSchemaVersion = 2;

std::vector<std::string> texts_at(const base::Json& json, const char* key) {
  std::vector<std::string> out;
  for (const auto& text : json.value(key, base::Json::array())) {
    out.push_back(text.get<std::string>());
  }
  return out;
}

std::string candidates_path(const Context& context) { return context.path("model/candidate_heads.safetensors"); }

base::Json candidates_json(const response::CandidateResponse& candidates) {
  base::Json out = base::Json::array();
  for (std::size_t head = 0; head < response::kCandidateHeads; ++head) {
    const auto& platt = candidates.calibration[head];
    out.push_back({{"positives", candidates.positives[head]},
                   {"slope", platt.has_value() ? base::Json(platt->slope) : base::Json()},
                   {"offset", platt.has_value() ? base::Json(platt->offset) : base::Json()}});
  }
  return out;
}

base::Result<response::CandidateResponse> load_candidates(const Context& context, const base::Json& json) {
  BECKON_TRY(auto heads, model::CandidateHeads::load(*context.files, candidates_path(context)));
  response::CandidateResponse out{std::move(heads), {}, {}, {}};
  if (!json.is_array() || json.size() != response::kCandidateHeads || !response::fits(out)) {
    return base::data_loss(candidates_path(context) + " does not belong to the model beside it: run beckon train again");
  }
  for (std::size_t head = 0; head < response::kCandidateHeads; ++head) {
    out.positives[head] = base::int_or(json[head], "positives");
    if (json[head].contains("slope") && json[head]["slope"].is_number()) {
      out.calibration[head] = stats::PlattCalibration{base::real_or(json[head], "slope"), base::real_or(json[head], "offset")};
    }
  }
  return out;
}

}  // namespace

base::Json words_json(const features::ItemWords& words) {
  return {{"top_categories", words.top_categories}, {"categories", words.categories}, {"brands", words.brands}, {"promotion", words.promotion}};
}

features::ItemWords words_from(const base::Json& json) {
  return {texts_at(json, "top_categories"), texts_at(json, "categories"), texts_at(json, "brands"), base::bool_or(json, "promotion")};
}

std::string model_path(const Context& context) { return context.path("model/model.safetensors"); }

features::ItemFacts facts_of(const Config& config, const std::vector<catalog::Item>& items, const features::ItemWords* words, NewWords new_words) {
  features::FactOptions options = features::fact_options(config.features);
  options.sensitive_categories = config.shop.sensitive_categories;
  options.services = config.shop.services;
  if (words != nullptr && new_words == NewWords::kUnknown) {
    return features::ItemFacts::with(items, options, *words);
  }
  return features::ItemFacts::learn(items, options, words != nullptr ? *words : features::ItemWords());
}

base::Result<std::optional<TrainedModel>> load_model(const Context& context) {
  const std::string config_path = context.path("model/model.json");
  if (!context.files->exists(config_path)) {
    return std::optional<TrainedModel>();
  }
  BECKON_TRY(const std::string text, context.files->read(config_path));
  const auto json = base::parse_json(text);
  if (!json.ok() || base::int_or(*json, "schema") != kSchemaVersion || !json->contains("vocabulary")) {
    return base::data_loss(config_path + ": damaged or of another version: run beckon train again");
  }
  TrainedModel out;
  auto weights = model::Model::load(*context.files, model_path(context));
  if (!weights.ok()) {
    return weights.error();
  }
  out.weights.emplace(std::move(weights).value());
  const auto warm = static_cast<std::int32_t>(base::int_or(*json, "warm_items"));
  out.vocabulary = features::Vocabulary(texts_at(*json, "vocabulary"), warm);
  out.words = words_from(json->value("item_words", base::Json::object()));
  out.version = base::string_or(*json, "version");
  out.figures = json->value("figures", base::Json::object());
  const base::Json response = json->value("item_response", base::Json::object());
  out.item_response.intercept = base::real_or(response, "intercept");
  out.item_response.horizon_days = base::real_or(response, "horizon_days", 7);
  out.item_response.coefficients.clear();
  for (const auto& value : response.value("coefficients", base::Json::array())) {
    out.item_response.coefficients.push_back(value.get<double>());
  }
  const bool fits = out.item_response.coefficients.size() == response::kEvidence &&
                    static_cast<std::size_t>(out.vocabulary.size()) == out.weights->tokens() && warm >= 0 &&
                    out.vocabulary.warm_size() <= out.vocabulary.size() &&
                    out.weights->options().side_sizes == features::side_sizes(out.words);
  if (!fits) {
    return base::data_loss(config_path + " does not belong to the weights beside it: run beckon train again");
  }
  if (json->contains("candidate_heads")) {
    BECKON_TRY(out.candidates, load_candidates(context, (*json)["candidate_heads"]));
    if (static_cast<std::size_t>(out.candidates->heads.width()) != out.weights->width()) {
      return base::data_loss(candidates_path(context) + " does not belong to the weights beside it: run beckon train again");
    }
  }
  return std::optional<TrainedModel>(std::move(out));
}

base::Status save_model(Context& context, const TrainedModel& trained) {
  base::Json json = {{"schema", kSchemaVersion},
                     {"version", trained.version},
                     {"trained_at", base::format_time(context.clock->now())},
                     {"shop", context.config.shop.name},
                     {"learned_until_ms", trained.learned_until.ms},
                     {"figures", trained.figures},
                     {"item_response",
                      {{"intercept", trained.item_response.intercept},
                       {"horizon_days", trained.item_response.horizon_days},
                       {"coefficients", trained.item_response.coefficients}}}};
  base::Json items = base::Json::array();
  for (std::size_t i = 1; i < trained.vocabulary.items().size(); ++i) {
    items.push_back(trained.vocabulary.items()[i]);
  }
  json["vocabulary"] = std::move(items);
  json["warm_items"] = trained.vocabulary.warm_size() - 1;
  json["item_words"] = words_json(trained.words);
  BECKON_TRY_STATUS(trained.weights->save(*context.files, model_path(context)));
  if (trained.candidates.has_value()) {
    json["candidate_heads"] = candidates_json(*trained.candidates);
    BECKON_TRY_STATUS(trained.candidates->heads.save(*context.files, candidates_path(context)));
  }
  return context.files->write_atomic(context.path("model/model.json"), base::to_line(json) + "\n");
}

RankingFigures judge(const std::string& name, const std::vector<std::vector<std::int32_t>>& relevant, const Ranking& ranking) {
  RankingFigures out;
  out.name = name;
  for (std::size_t i = 0; i < relevant.size(); ++i) {
    if (relevant[i].empty()) {
      continue;
    }
    const auto list = ranking(i);
    const double ndcg = model::ndcg_at(10, list, relevant[i]);
    out.each_ndcg.push_back(ndcg);
    out.ndcg10 += ndcg;
    out.hit10 += ndcg > 0 ? 1 : 0;
    ++out.customers;
  }
  const double count = std::max(1.0, static_cast<double>(out.customers));
  out.ndcg10 /= count;
  out.hit10 /= count;
  return out;
}

}  // namespace beckon::engine
