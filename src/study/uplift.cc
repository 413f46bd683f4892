#include "beckon/study/uplift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "answer.h"
#include "beckon/base/progress.h"
#include "uplift_data.h"
#include "uplift_page.h"

namespace beckon::study {
namespace {

const char* name_of(uplift::Verdict verdict) {
  switch (verdict) {
    case uplift::Verdict::kNobody: return "treat nobody";
    case uplift::Verdict::kEverybody: return "treat everybody";
    case uplift::Verdict::kRank: return "rank";
  }
  return "";
}

// What to do: rank by the chosen learner and treat above its threshold, or all, or none.
enum class Decision { kThreshold, kEverybody, kNobody };
struct Chosen {
  Decision decision = Decision::kThreshold;
  std::string name;
};

Chosen decide(const uplift::Comparison& comparison) {
  const uplift::CandidateResult& best = comparison.results[comparison.best];
  const std::string name = best.name + (best.candidate.learner == uplift::Learner::kEnsemble ? "" : "/" + best.base);
  if (comparison.verdict == uplift::Verdict::kRank) {
    return {Decision::kThreshold, name};
  }
  return comparison.verdict == uplift::Verdict::kEverybody ? Chosen{Decision::kEverybody, "treat_all"} : Chosen{Decision::kNobody, "treat_none"};
}

base::Json policy_json(const uplift::PolicyValue& policy) {
  return {{"share_treated", policy.share_treated}, {"irr", number_or_null(policy.irr)}, {"nir", policy.nir},
          {"profit_per_customer", policy.profit},  {"lo", policy.low},                  {"hi", policy.high}};
}

base::Json learner_json(const uplift::CandidateResult& r) {
  base::Json out = {{"name", r.name},           {"base", r.base},           {"qini_e4", 1e4 * r.qini}, {"lo", 1e4 * r.low},
                    {"hi", 1e4 * r.high},       {"sd_over_seeds_e4", 1e4 * r.seed_deviation}};
  for (std::size_t i = 0; i < std::size(uplift::kShares); ++i) {
    out["uplift@" + std::to_string(static_cast<int>(std::lround(100 * uplift::kShares[i])))] = number_or_null(r.uplift_at[i]);
  }
  out["behind_best_e4"] = {{"value", 1e4 * r.behind}, {"lo", 1e4 * r.behind_low}, {"hi", 1e4 * r.behind_high}};
  out["policy"] = policy_json(r.policy);
  out["curve"] = r.curve;
  out["tenths"] = base::Json::array();
  for (const auto& tenth : r.tenths) {
    out["tenths"].push_back({{"score", tenth.score}, {"effect", number_or_null(tenth.effect)}, {"std_error", tenth.std_error}});
  }
  return out;
}

base::Json arm_json(const Arm& arm, const uplift::Comparison& comparison, const Chosen& chosen) {
  const auto treated = std::ranges::count(arm.trial.treated, 1);
  base::Json out = {{"arm", arm.label},
                    {"treated", treated},
                    {"control", static_cast<std::int64_t>(arm.trial.treated.size()) - treated},
                    {"grade", arm.randomised ? "randomised" : "adjusted"},
                    {"treatment_predictable_z", arm.predictable},
                    {"effect", {{"value", comparison.effect}, {"lo", comparison.effect_low}, {"hi", comparison.effect_high}}}};
  out["learners"] = base::Json::array();
  for (const auto& result : comparison.results) {
    out["learners"].push_back(learner_json(result));
  }
  const uplift::CandidateResult& best = comparison.results[comparison.best];
  out["best"] = {{"name", best.name}, {"base", best.base}};
  out["verdict"] = name_of(comparison.verdict);
  out["chosen"] = chosen.name;
  out["chosen_qini_e4"] = chosen.decision == Decision::kThreshold ? base::Json(1e4 * best.qini) : base::Json(0.0);
  out["best_qini_e4"] = 1e4 * best.qini;
  out["qini_needed_e4"] = 1e4 * comparison.qini_needed;
  out["nested_qini_e4"] = number_or_null(1e4 * comparison.nested_qini);
  out["response_is_enough"] = comparison.response_is_enough;
  out["nothing_beats_treat_all_or_none"] = comparison.verdict != uplift::Verdict::kRank;
  out["treat_all"] = policy_json(comparison.everybody);
  uplift::PolicyValue nobody;
  nobody.irr = std::numeric_limits<double>::quiet_NaN();
  out["policy"] = policy_json(chosen.decision == Decision::kThreshold    ? best.policy
                              : chosen.decision == Decision::kEverybody ? comparison.everybody
                                                                        : nobody);
  return out;
}

class UpliftStudy {
 public:
  UpliftStudy(const UpliftRequest& request, const std::atomic<bool>& stop)
      : request_(request), stop_(stop), executor_(workers(request)), trees_(uplift::boosted_trees()), linear_(uplift::linear()) {
    economics_ = {request.value, request.cost};
  }

  base::Result<base::Json> run() {
    BECKON_TRY(const UpliftData data, read_uplift(request_));
    base::Json json = heading(data);
    std::vector<UpliftData> test;  // none or one
    if (!request_.test_file.empty()) {
      BECKON_TRY(UpliftData read, read_uplift_test(request_, data));
      json["test"] = {{"file", request_.test_file.substr(request_.test_file.rfind('/') + 1)}, {"counts", read.counts}, {"notes", read.notes}};
      test.push_back(std::move(read));
    }
    json["arms"] = base::Json::array();
    for (std::size_t a = 0; a < data.arms.size(); ++a) {
      BECKON_TRY(base::Json arm, study(data.arms[a], test.empty() ? nullptr : &test[0].arms[a]));
      json["arms"].push_back(std::move(arm));
    }
    if (data.arms.size() > 1) {
      BECKON_TRY(json["which_arm"], which_arm(data));
    }
    // With one arm its figures stand at the top as well: nobody should have to unwrap a list of one.
    if (json["arms"].size() == 1) {
      const base::Json arm = json["arms"][0];
      json.erase("arms");
      json.update(arm);
    }
    return answer(json, uplift_page(json), request_.out);
  }

 private:
  static std::size_t workers(const UpliftRequest& request) {
    return request.threads > 0 ? static_cast<std::size_t>(request.threads) : std::max(1U, std::thread::hardware_concurrency());
  }

  base::Json heading(const UpliftData& data) const {
    base::Json left_out = base::Json::array();
    for (const LeftOut& column : data.left_out) {
      left_out.push_back({{"column", column.column}, {"reason", column.why}});
    }
    return {{"file", request_.file.substr(request_.file.rfind('/') + 1)},
            {"treatment", request_.treatment},
            {"control_value", data.control},
            {"outcome", request_.outcome},
            {"features", data.features},
            {"left_out", std::move(left_out)},
            {"counts", data.counts},
            {"notes", data.notes},
            {"folds", request_.folds},
            {"seeds", request_.seeds},
            {"value", request_.value},
            {"cost", request_.cost},
            {"economics_given", request_.with_economics},
            {"qini", "(1/N)*[integral from 0 to 1 of g(s) ds - g(1)/2], g(s) = Y_T - Y_C*N_T/N_C among the share s with the highest scores"}};
  }

  base::Result<base::Json> study(const Arm& arm, const Arm* test) {
    uplift::CompareOptions options;
    options.bases = {trees_.get(), linear_.get()};
    options.folds = request_.folds;
    options.seeds = request_.seeds;
    options.resamples = request_.resamples;
    options.nested_folds = request_.nested ? 4 : 0;
    options.economics = economics_;
    options.executor = &executor_;
    options.stop = &stop_;
    const base::SystemClock clock;
    base::Progress progress({"learn " + arm.label, "parts", 0, request_.quiet ? base::ProgressMode::kQuiet : base::ProgressMode::kAuto}, clock);
    options.on_progress = [&](std::size_t done, std::size_t all) {
      progress.set_total(static_cast<std::int64_t>(all));
      progress.update(static_cast<std::int64_t>(done));
    };
    auto compared = uplift::compare(arm.trial, options);
    if (!compared.ok()) {
      return compared.error().at("arm '" + arm.label + "'");
    }
    progress.finish();
    const Chosen chosen = decide(*compared);
    base::Json json = arm_json(arm, *compared, chosen);
    if (test != nullptr) {
      BECKON_TRY(json["test_policy"], judge(arm.trial, *compared, chosen, test->trial));
      // What was asked for is the policy on customers that nobody learned from.
      json["cross_fitted_policy"] = json["policy"];
      json["policy"] = json["test_policy"]["policy"];
    }
    return json;
  }

  // Which arm for whom; costs are the same for all.
  base::Result<base::Json> which_arm(const UpliftData& data) {
    std::vector<uplift::ArmTrial> arms;
    for (const Arm& arm : data.arms) {
      arms.push_back({&arm.trial, arm.rows, economics_.cost, arm.customer});
    }
    uplift::SeveralOptions options;
    options.bases = {trees_.get(), linear_.get()};
    options.value = economics_.value;
    options.folds = request_.folds;
    options.seeds = request_.seeds;
    options.resamples = request_.resamples;
    options.executor = &executor_;
    options.stop = &stop_;
    BECKON_TRY(const uplift::Several several, uplift::assign_arms(arms, options));
    const auto value_json = [](const uplift::RuleValue& value) { return base::Json{{"gain", value.gain}, {"lo", value.low}, {"hi", value.high}}; };
    base::Json out = {{"rule", value_json(several.rule)},
                      {"over_best", value_json(several.over_best)},
                      {"rule_is_better", several.rule_is_better},
                      {"best_arm", data.arms[several.best_arm].label},
                      {"arms", base::Json::array()}};
    for (std::size_t a = 0; a < data.arms.size(); ++a) {
      base::Json row = value_json(several.everybody[a]);
      row["arm"] = data.arms[a].label;
      row["share_by_rule"] = several.share[a];
      out["arms"].push_back(std::move(row));
    }
    const bool randomised = std::ranges::all_of(data.arms, [](const Arm& arm) { return arm.randomised; });
    out["grade"] = randomised ? "randomised" : "adjusted";
    return out;
  }

  // The chosen learner learns from the whole file, once a seed, and its mean score is held against the threshold.
  base::Result<base::Json> judge(const uplift::Trial& trial, const uplift::Comparison& comparison, const Chosen& chosen, const uplift::Trial& test) {
    const std::size_t rows = test.treated.size();
    std::vector<std::uint8_t> treat(rows, chosen.decision == Decision::kEverybody ? 1 : 0);
    base::Json json = {{"rows", static_cast<std::int64_t>(rows)}};
    if (chosen.decision == Decision::kThreshold) {
      uplift::Ask ask{&test.x, {}, test.propensity};
      std::vector<std::uint32_t> all;
      for (std::uint32_t r = 0; r < rows; ++r) {
        ask.rows.push_back(r);
      }
      for (std::uint32_t r = 0; r < trial.treated.size(); ++r) {
        all.push_back(r);
      }
      const std::vector<uplift::Candidate> candidate{comparison.results[comparison.best].candidate};
      std::vector<float> score(rows, 0);
      for (const std::uint64_t seed : request_.seeds) {
        uplift::LearnOptions learning{{trees_.get(), linear_.get()}, 3, seed};
        BECKON_TRY(const auto said, uplift::learn_and_score(trial, all, candidate, ask, learning));
        for (std::size_t r = 0; r < rows; ++r) {
          score[r] += said[0][r] / static_cast<float>(request_.seeds.size());
        }
      }
      for (std::size_t r = 0; r < rows; ++r) {
        treat[r] = static_cast<double>(score[r]) > comparison.threshold ? 1 : 0;
      }
      json["qini_e4"] = 1e4 * uplift::Ranking(test, score, 1).qini();
      json["threshold"] = number_or_null(comparison.threshold);
    }
    json["policy"] = policy_json(uplift::policy_value(test, treat, economics_));
    json["treat_all"] = policy_json(uplift::policy_value(test, std::vector<std::uint8_t>(rows, 1), economics_));
    return json;
  }

  const UpliftRequest& request_;
  const std::atomic<bool>& stop_;
  base::ThreadExecutor executor_;
  std::unique_ptr<uplift::Base> trees_;
  std::unique_ptr<uplift::Base> linear_;
  uplift::Economics economics_;
};

}  // namespace

base::Result<base::Json> study_uplift(const UpliftRequest& request, const std::atomic<bool>& stop) {
  if (request.folds < 2 || request.seeds.empty() || request.resamples < 100 || !(request.value > 0) || request.cost < 0) {
    return base::invalid_argument("--folds wants 2 or more, --seeds one or more, --resamples 100 or more, --value above 0 and --cost 0 or more");
  }
  return UpliftStudy(request, stop).run();
}

}  // namespace beckon::study
