#include "beckon/uplift/compare.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"

namespace beckon::uplift {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Rows = std::vector<std::uint32_t>;

// Scores of every row by models that have not seen it: [candidate][row].
using Scores = std::vector<std::vector<float>>;

struct Split {
  Rows learn;
  Rows held;
};

std::vector<Split> splits_of(const Trial& trial, std::span<const std::uint32_t> rows, std::size_t folds, std::uint64_t seed) {
  const auto fold = deal(trial, rows, folds, seed);
  std::vector<Split> out(folds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < folds; ++k) {
      (fold[i] == k ? out[k].held : out[k].learn).push_back(rows[i]);
    }
  }
  return out;
}

double mean(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - middle) * (value - middle);
  }
  return values.size() > 1 ? std::sqrt(squares / static_cast<double>(values.size() - 1)) : 0;
}

double quantile(std::vector<double> values, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

// How often each customer counts in a resample.
std::vector<std::uint16_t> drawn(std::size_t customers, std::uint64_t resample) {
  std::vector<std::uint16_t> times(customers, 0);
  base::Rng rng(0xB007, resample);
  for (std::size_t i = 0; i < customers; ++i) {
    ++times[rng.below(customers)];
  }
  return times;
}

class Comparing {
 public:
  Comparing(const Trial& trial, const CompareOptions& options) : trial_(trial), options_(options), all_(trial.treated.size()) {
    std::iota(all_.begin(), all_.end(), 0U);
    candidates_ = options.candidates.empty() ? all_candidates(options.bases.size(), trial.response) : options.candidates;
  }

  base::Result<Comparison> run() {
    BECKON_TRY_STATUS(check_sizes());
    BECKON_TRY_STATUS(score_everybody());
    Comparison out;
    rank_and_resample(out);
    judge(out);
    if (options_.nested_folds > 0) {
      BECKON_TRY_STATUS(choose_nested(out));
    }
    return out;
  }

 private:
  base::Status check_sizes() const {
    const auto treated = static_cast<std::size_t>(std::accumulate(trial_.treated.begin(), trial_.treated.end(), 0));
    const std::size_t least = std::min(treated, trial_.treated.size() - treated);
    const auto folds = static_cast<std::size_t>(options_.folds);
    if (least < 10 * folds) {
      return base::failed_precondition("the smaller group has " + std::to_string(least) + " customers, and " + std::to_string(folds) +
                                       " folds want " + std::to_string(10 * folds) + " at least: collect more, or choose fewer folds");
    }
    return base::ok_status();
  }

  // One task for each (outer fold, inner part): inner part 0 is the outer training part itself, the others serve the nested choice.
  struct Task {
    std::size_t seed = 0;
    std::size_t fold = 0;
    std::size_t inner = 0;
    Rows learn;
    Rows held;
  };

  base::Status score_everybody() {
    const auto folds = static_cast<std::size_t>(options_.folds);
    const auto nested = static_cast<std::size_t>(options_.nested_folds);
    std::vector<Task> tasks;
    splits_.resize(options_.seeds.size());
    for (std::size_t s = 0; s < options_.seeds.size(); ++s) {
      splits_[s] = splits_of(trial_, all_, folds, options_.seeds[s]);
      for (std::size_t k = 0; k < folds; ++k) {
        tasks.push_back({s, k, 0, splits_[s][k].learn, splits_[s][k].held});
        for (std::size_t i = 0; nested > 0 && i < nested; ++i) {
          const Split inner = splits_of(trial_, splits_[s][k].learn, nested, options_.seeds[s] * 1000 + k)[i];
          tasks.push_back({s, k, i + 1, inner.learn, inner.held});
        }
      }
    }
    scores_.assign(options_.seeds.size(), Scores(candidates_.size(), std::vector<float>(all_.size())));
    nested_.assign(options_.seeds.size() * folds, Scores(nested > 0 ? candidates_.size() : 0, std::vector<float>(all_.size())));
    std::mutex guard;
    std::size_t done = 0;
    base::Status failed = base::ok_status();
    options_.executor->run(tasks.size(), [&](std::size_t t) {
      const base::Status ended = stopped() ? base::Status(base::Error{base::ErrorCode::kUnavailable, "stopped before the end"}) : learn(tasks[t]);
      const std::scoped_lock lock(guard);
      if (!ended.ok() && failed.ok()) {
        failed = ended;
      }
      if (options_.on_progress) {
        options_.on_progress(++done, tasks.size());
      }
    });
    return failed;
  }

  bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  base::Status learn(const Task& task) {
    Ask ask{&trial_.x, task.held, {}};
    for (const std::uint32_t r : task.held) {
      ask.propensity.push_back(trial_.propensity[r]);
    }
    LearnOptions learning{options_.bases, options_.inner_folds, options_.seeds[task.seed] * 100 + task.fold * 10 + task.inner};
    BECKON_TRY(const auto said, learn_and_score(trial_, task.learn, candidates_, ask, learning));
    Scores& to = task.inner == 0 ? scores_[task.seed] : nested_[task.seed * static_cast<std::size_t>(options_.folds) + task.fold];
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      for (std::size_t i = 0; i < task.held.size(); ++i) {
        to[c][task.held[i]] = said[c][i];
      }
    }
    return base::ok_status();
  }

  // Measures of each candidate, and how they move together over resamples of the customers.
  void rank_and_resample(Comparison& out) {
    const std::size_t count = candidates_.size();
    std::vector<std::vector<Ranking>> ranked(count);
    out.results.resize(count);
    options_.executor->run(count, [&](std::size_t c) {
      for (std::size_t s = 0; s < options_.seeds.size(); ++s) {
        ranked[c].emplace_back(trial_, scores_[s][c], options_.seeds[s]);
      }
      out.results[c] = measured(c, ranked[c]);
    });
    resampled_.assign(static_cast<std::size_t>(options_.resamples), std::vector<double>(count));
    options_.executor->run(resampled_.size(), [&](std::size_t b) {
      const auto times = drawn(trial_.customers(), b);
      for (std::size_t c = 0; c < count; ++c) {
        for (const Ranking& ranking : ranked[c]) {
          resampled_[b][c] += ranking.qini(times) / static_cast<double>(ranked[c].size());
        }
      }
    });
  }

  CandidateResult measured(std::size_t c, const std::vector<Ranking>& rankings) const {
    CandidateResult out;
    out.candidate = candidates_[c];
    out.name = name_of(candidates_[c].learner);
    out.base = candidates_[c].learner == Learner::kEnsemble ? "all" : std::string(options_.bases[candidates_[c].base]->name());
    constexpr std::size_t kPoints = 20;
    const double seeds = static_cast<double>(rankings.size());
    std::vector<double> qinis;
    out.uplift_at.assign(std::size(kShares), 0);
    out.curve.assign(kPoints + 1, 0);
    out.policy = {};
    for (std::size_t s = 0; s < rankings.size(); ++s) {
      qinis.push_back(rankings[s].qini());
      for (std::size_t i = 0; i < std::size(kShares); ++i) {
        out.uplift_at[i] += rankings[s].uplift_at(kShares[i]) / seeds;
      }
      const auto curve = rankings[s].curve(kPoints);
      for (std::size_t i = 0; i < curve.size(); ++i) {
        out.curve[i] += curve[i] / seeds;
      }
      const PolicyValue policy = policy_value(trial_, chosen_by(s, c), options_.economics, options_.level);
      for (const auto member : {&PolicyValue::share_treated, &PolicyValue::irr, &PolicyValue::nir, &PolicyValue::profit, &PolicyValue::low, &PolicyValue::high}) {
        out.policy.*member += policy.*member / seeds;
      }
    }
    out.tenths = rankings.front().groups(10);
    out.qini = mean(qinis);
    out.seed_deviation = deviation(qinis);
    return out;
  }

  // Who is treated when each fold's threshold comes from the others.
  std::vector<std::uint8_t> chosen_by(std::size_t s, std::size_t c) const {
    std::vector<std::uint8_t> chosen(all_.size(), 0);
    for (const Split& split : splits_[s]) {
      const double threshold = threshold_of(s, c, split).score;
      for (const std::uint32_t r : split.held) {
        chosen[r] = static_cast<double>(scores_[s][c][r]) > threshold ? 1 : 0;
      }
    }
    return chosen;
  }
  Threshold threshold_of(std::size_t s, std::size_t c, const Split& split) const {
    std::vector<float> score;
    for (const std::uint32_t r : split.learn) {
      score.push_back(scores_[s][c][r]);
    }
    return best_threshold(trial_, split.learn, score, options_.economics);
  }

  void judge(Comparison& out) {
    const double tail = (1 - options_.level) / 2;
    const auto by_qini = [&](const CandidateResult& r) { return r.qini; };
    const auto by_profit = [&](const CandidateResult& r) { return r.policy.profit; };
    const auto top = [&](const auto& key) { return static_cast<std::size_t>(std::ranges::max_element(out.results, {}, key) - out.results.begin()); };
    out.best = options_.economics.cost > 0 ? top(by_profit) : top(by_qini);
    std::vector<double> largest;  // over the candidates: how far a resample lies above the estimate
    for (const auto& qinis : resampled_) {
      double most = -kInfinity;
      for (std::size_t c = 0; c < qinis.size(); ++c) {
        most = std::max(most, qinis[c] - out.results[c].qini);
      }
      largest.push_back(most);
    }
    out.qini_needed = quantile(largest, options_.level);
    for (std::size_t c = 0; c < out.results.size(); ++c) {
      CandidateResult& result = out.results[c];
      std::vector<double> values;
      std::vector<double> behind;
      for (const auto& qinis : resampled_) {
        values.push_back(qinis[c]);
        behind.push_back(qinis[out.best] - qinis[c]);
      }
      result.low = quantile(values, tail);
      result.high = quantile(values, 1 - tail);
      result.behind = out.results[out.best].qini - result.qini;
      result.behind_low = quantile(behind, tail);
      result.behind_high = quantile(behind, 1 - tail);
    }
    const std::vector<std::uint8_t> everybody(all_.size(), 1);
    out.everybody = policy_value(trial_, everybody, options_.economics, options_.level);
    const PolicyValue plain = policy_value(trial_, everybody, {1, 0}, options_.level);
    out.effect = plain.profit;
    out.effect_low = plain.low;
    out.effect_high = plain.high;
    const double best_qini = out.results[top(by_qini)].qini;
    out.verdict = best_qini > out.qini_needed ? Verdict::kRank : out.everybody.low > 0 ? Verdict::kEverybody : Verdict::kNobody;
    for (const CandidateResult& result : out.results) {
      out.response_is_enough |= result.candidate.learner == Learner::kResponse && result.behind_low <= 0;
    }
    out.response_is_enough &= out.verdict == Verdict::kRank;
    out.threshold = threshold_over_folds(out.best);
  }

  double threshold_over_folds(std::size_t c) const {
    std::vector<double> thresholds;
    for (std::size_t s = 0; s < splits_.size(); ++s) {
      for (const Split& split : splits_[s]) {
        thresholds.push_back(threshold_of(s, c, split).score);
      }
    }
    return quantile(thresholds, 0.5);
  }

  // The choice is made from what the training part shows, and judged on the held part. Scores of different learners do not share a
  // scale, so each fold is ranked within itself.
  base::Status choose_nested(Comparison& out) {
    const auto folds = static_cast<std::size_t>(options_.folds);
    std::vector<double> qinis(options_.seeds.size() * folds, 0);
    options_.executor->run(qinis.size(), [&](std::size_t task) {
      const std::size_t s = task / folds;
      const Split& split = splits_[s][task % folds];
      std::vector<double> inside;
      const Trial learnt = part_of(split.learn);
      for (std::size_t c = 0; c < candidates_.size(); ++c) {
        inside.push_back(Ranking(learnt, part_of(nested_[task][c], split.learn), options_.seeds[s]).qini());
      }
      const auto chosen = static_cast<std::size_t>(std::ranges::max_element(inside) - inside.begin());
      qinis[task] = Ranking(part_of(split.held), part_of(scores_[s][chosen], split.held), options_.seeds[s]).qini();
    });
    out.nested_qini = mean(qinis);
    return base::ok_status();
  }

  // What a ranking reads of a trial; no columns.
  Trial part_of(const Rows& rows) const {
    Trial out;
    out.response = trial_.response;
    for (const std::uint32_t r : rows) {
      out.treated.push_back(trial_.treated[r]);
      out.outcome.push_back(trial_.outcome[r]);
      out.propensity.push_back(trial_.propensity[r]);
    }
    return out;
  }
  static std::vector<float> part_of(const std::vector<float>& scores, const Rows& rows) {
    std::vector<float> out;
    for (const std::uint32_t r : rows) {
      out.push_back(scores[r]);
    }
    return out;
  }

  const Trial& trial_;
  const CompareOptions& options_;
  Rows all_;
  std::vector<Candidate> candidates_;
  std::vector<std::vector<Split>> splits_;   // [seed][fold]
  std::vector<Scores> scores_;               // [seed]
  std::vector<Scores> nested_;               // [seed × fold]: of the training part's rows
  std::vector<std::vector<double>> resampled_;
};

}  // namespace

std::vector<Candidate> all_candidates(std::size_t bases, Response response) {
  std::vector<Candidate> out;
  for (std::size_t b = 0; b < bases; ++b) {
    for (const Learner learner : {Learner::kResponse, Learner::kSingle, Learner::kTwo, Learner::kCross, Learner::kResidual, Learner::kDoublyRobust,
                                  Learner::kTransformed, Learner::kClassTransformed}) {
      if (learner != Learner::kClassTransformed || response == Response::kProbability) {
        out.push_back({learner, b});
      }
    }
  }
  out.push_back({Learner::kEnsemble, 0});
  return out;
}

base::Result<Comparison> compare(const Trial& trial, const CompareOptions& options) {
  BECKON_CHECK(options.executor != nullptr && !options.bases.empty() && !options.seeds.empty() && options.folds >= 2 && options.resamples >= 100);
  return Comparing(trial, options).run();
}

}  // namespace beckon::uplift
