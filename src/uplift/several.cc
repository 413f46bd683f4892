#include "beckon/uplift/several.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"

namespace beckon::uplift {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

// All rows of all arms, each once.
struct Rows {
  Matrix x;
  std::vector<float> outcome;
  std::vector<std::size_t> arm;               // kNobody: control
  std::vector<std::vector<double>> chance;    // [arm or last: control][row]
  std::vector<std::uint32_t> customer;
  std::vector<std::vector<std::uint32_t>> place;  // [arm][row of its trial] → row here
  std::size_t customers = 0;
};

Rows united(std::span<const ArmTrial> arms) {
  std::map<std::uint32_t, std::uint32_t> row_of;
  for (const auto& arm : arms) {
    for (const std::uint32_t row : arm.rows) {
      row_of.emplace(row, 0);
    }
  }
  std::uint32_t next = 0;
  for (auto& [row, place] : row_of) {
    place = next++;
  }
  Rows out;
  const Matrix& first = arms[0].trial->x;
  out.x = {row_of.size(), first.columns, std::vector<float>(row_of.size() * first.columns), first.names};
  out.outcome.assign(row_of.size(), 0);
  out.arm.assign(row_of.size(), kNobody);
  out.customer.assign(row_of.size(), 0);
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const Trial& trial = *arms[a].trial;
    auto& place = out.place.emplace_back();
    for (std::size_t r = 0; r < arms[a].rows.size(); ++r) {
      const std::uint32_t here = row_of.at(arms[a].rows[r]);
      place.push_back(here);
      std::ranges::copy(trial.x.row(r), out.x.values.begin() + static_cast<std::ptrdiff_t>(here * out.x.columns));
      out.outcome[here] = trial.outcome[r];
      out.arm[here] = trial.treated[r] != 0 ? a : out.arm[here];
      out.customer[here] = arms[a].customer.empty() ? here : arms[a].customer[r];
    }
  }
  out.customers = static_cast<std::size_t>(*std::ranges::max_element(out.customer)) + 1;
  return out;
}

// A trial knows P(arm | arm or control); the odds of all arms together give the chance of each. A row outside an arm's trial takes its mean odds.
void add_chances(std::span<const ArmTrial> arms, Rows& rows) {
  const std::size_t count = rows.outcome.size();
  std::vector<std::vector<double>> odds;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const Trial& trial = *arms[a].trial;
    double sum = 0;
    for (const float p : trial.propensity) {
      sum += static_cast<double>(p) / (1 - static_cast<double>(p));
    }
    auto& own = odds.emplace_back(count, sum / static_cast<double>(trial.propensity.size()));
    for (std::size_t r = 0; r < rows.place[a].size(); ++r) {
      own[rows.place[a][r]] = static_cast<double>(trial.propensity[r]) / (1 - static_cast<double>(trial.propensity[r]));
    }
  }
  rows.chance.assign(arms.size() + 1, std::vector<double>(count, 0));
  for (std::size_t i = 0; i < count; ++i) {
    double all = 1;
    for (const auto& own : odds) {
      all += own[i];
    }
    for (std::size_t a = 0; a < arms.size(); ++a) {
      rows.chance[a][i] = odds[a][i] / all;
    }
    rows.chance.back()[i] = 1 / all;
  }
}

class Assigning {
 public:
  Assigning(std::span<const ArmTrial> arms, const SeveralOptions& options) : arms_(arms), options_(options), rows_(united(arms)) { add_chances(arms, rows_); }

  base::Result<Several> run() {
    std::vector<std::vector<std::size_t>> wanted;  // by seed
    for (const std::uint64_t seed : options_.seeds) {
      BECKON_TRY_STATUS(score(seed));
      wanted.push_back(rule());
    }
    return valued(wanted);
  }

 private:
  std::size_t fold_of(std::size_t row, std::uint64_t seed) const {
    const std::uint32_t customer = rows_.customer[row];
    return base::stable_hash({reinterpret_cast<const char*>(&customer), sizeof customer}, seed) % static_cast<std::size_t>(options_.folds);
  }

  // [arm][row]: effects by models that have not seen the customer.
  base::Status score(std::uint64_t seed) {
    const auto folds = static_cast<std::size_t>(options_.folds);
    score_.assign(arms_.size(), std::vector<float>(rows_.outcome.size()));
    std::mutex guard;
    base::Status failed = base::ok_status();
    options_.executor->run(arms_.size() * folds, [&](std::size_t task) {
      const base::Status done = options_.stop != nullptr && options_.stop->load()
                                    ? base::Status(base::Error{base::ErrorCode::kUnavailable, "stopped before the end"})
                                    : score_part({task / folds, task % folds, seed});
      const std::scoped_lock lock(guard);
      failed = failed.ok() && !done.ok() ? done : failed;
    });
    return failed;
  }

  struct Part {
    std::size_t arm;
    std::size_t fold;
    std::uint64_t seed;
  };
  base::Status score_part(const Part& part) {
    const Trial& trial = *arms_[part.arm].trial;
    std::vector<std::uint32_t> learn;
    for (std::uint32_t r = 0; r < trial.treated.size(); ++r) {
      if (fold_of(rows_.place[part.arm][r], part.seed) != part.fold) {
        learn.push_back(r);
      }
    }
    const auto treated = std::ranges::count_if(learn, [&](std::uint32_t r) { return trial.treated[r] != 0; });
    if (treated < 10 || static_cast<std::ptrdiff_t>(learn.size()) - treated < 10) {
      return base::failed_precondition("an arm has too few customers for the folds: choose fewer folds, or leave it out with --arm");
    }
    Ask ask{&rows_.x, {}, {}};
    for (std::uint32_t i = 0; i < rows_.outcome.size(); ++i) {
      if (fold_of(i, part.seed) == part.fold) {
        ask.rows.push_back(i);
        ask.propensity.push_back(static_cast<float>(rows_.chance[part.arm][i] / (rows_.chance[part.arm][i] + rows_.chance.back()[i])));
      }
    }
    BECKON_TRY(const auto said, learn_and_score(trial, learn, {{Learner::kEnsemble, 0}}, ask, {options_.bases, 3, part.seed}));
    for (std::size_t k = 0; k < ask.rows.size(); ++k) {
      score_[part.arm][ask.rows[k]] = said[0][k];
    }
    return base::ok_status();
  }

  std::vector<std::size_t> rule() const {
    std::vector<std::size_t> out(rows_.outcome.size(), kNobody);
    for (std::size_t i = 0; i < out.size(); ++i) {
      double best = 0;
      for (std::size_t a = 0; a < arms_.size(); ++a) {
        const double net = options_.value * static_cast<double>(score_[a][i]) - arms_[a].cost;
        if (net > best) {
          best = net;
          out[i] = a;
        }
      }
    }
    return out;
  }

  // Σ weight·worth and Σ weight of each customer's rows that got what the rule wanted.
  struct Sums {
    std::vector<double> worth;
    std::vector<double> weight;
  };
  template <class Wanted>
  Sums sums_of(const Wanted& wanted) const {
    Sums out{std::vector<double>(rows_.customers, 0), std::vector<double>(rows_.customers, 0)};
    for (std::size_t i = 0; i < rows_.outcome.size(); ++i) {
      const std::size_t arm = wanted(i);
      if (rows_.arm[i] != arm) {
        continue;
      }
      const double weight = 1 / (arm == kNobody ? rows_.chance.back() : rows_.chance[arm])[i];
      const double cost = arm == kNobody ? 0 : arms_[arm].cost;
      out.worth[rows_.customer[i]] += weight * (options_.value * static_cast<double>(rows_.outcome[i]) - cost);
      out.weight[rows_.customer[i]] += weight;
    }
    return out;
  }

  static double mean_of(const Sums& sums, std::span<const std::uint16_t> times) {
    double worth = 0;
    double weight = 0;
    for (std::size_t c = 0; c < sums.worth.size(); ++c) {
      const double n = times.empty() ? 1 : times[c];
      worth += n * sums.worth[c];
      weight += n * sums.weight[c];
    }
    return weight > 0 ? worth / weight : 0;
  }

  struct Policies {
    std::vector<Sums> rules;  // by seed
    std::vector<Sums> arms;
    Sums nobody;
  };

  // Gains of the rule (mean over seeds), of each arm for all, and of the rule over the better of the best arm and nobody.
  std::vector<double> gains(const Policies& policies, std::size_t best_arm, std::span<const std::uint16_t> times) const {
    const double nobody = mean_of(policies.nobody, times);
    double rule = 0;
    for (const Sums& sums : policies.rules) {
      rule += (mean_of(sums, times) - nobody) / static_cast<double>(policies.rules.size());
    }
    std::vector<double> out{rule};
    for (const Sums& sums : policies.arms) {
      out.push_back(mean_of(sums, times) - nobody);
    }
    out.push_back(rule - (best_arm == kNobody ? 0 : out[1 + best_arm]));
    return out;
  }

  Several valued(const std::vector<std::vector<std::size_t>>& wanted) const {
    Policies policies;
    Several out;
    out.share.assign(arms_.size(), 0);
    for (const auto& rule : wanted) {
      policies.rules.push_back(sums_of([&](std::size_t i) { return rule[i]; }));
      for (const std::size_t arm : rule) {
        if (arm != kNobody) {
          out.share[arm] += 1 / static_cast<double>(rule.size() * wanted.size());
        }
      }
    }
    for (std::size_t a = 0; a < arms_.size(); ++a) {
      policies.arms.push_back(sums_of([a](std::size_t) { return a; }));
    }
    policies.nobody = sums_of([](std::size_t) { return kNobody; });
    const auto seen = gains(policies, kNobody, {});
    out.best_arm = static_cast<std::size_t>(std::max_element(seen.begin() + 1, seen.begin() + 1 + static_cast<std::ptrdiff_t>(arms_.size())) - seen.begin() - 1);
    const std::size_t rival = seen[1 + out.best_arm] > 0 ? out.best_arm : kNobody;
    fill(policies, rival, out);
    return out;
  }

  void fill(const Policies& policies, std::size_t rival, Several& out) const {
    const auto seen = gains(policies, rival, {});
    std::vector<std::vector<double>> drawn(seen.size(), std::vector<double>(static_cast<std::size_t>(options_.resamples)));
    options_.executor->run(static_cast<std::size_t>(options_.resamples), [&](std::size_t resample) {
      std::vector<std::uint16_t> times(rows_.customers, 0);
      base::Rng rng(0x5E7E, resample);
      for (std::size_t i = 0; i < rows_.customers; ++i) {
        ++times[rng.below(rows_.customers)];
      }
      const auto again = gains(policies, rival, times);
      for (std::size_t k = 0; k < again.size(); ++k) {
        drawn[k][resample] = again[k];
      }
    });
    const auto interval = [&](std::size_t k) {
      std::ranges::sort(drawn[k]);
      const double tail = (1 - options_.level) / 2 * static_cast<double>(drawn[k].size() - 1);
      return RuleValue{seen[k], drawn[k][static_cast<std::size_t>(std::floor(tail))], drawn[k][drawn[k].size() - 1 - static_cast<std::size_t>(std::floor(tail))]};
    };
    out.rule = interval(0);
    for (std::size_t a = 0; a < arms_.size(); ++a) {
      out.everybody.push_back(interval(1 + a));
    }
    out.over_best = interval(seen.size() - 1);
    out.rule_is_better = out.over_best.low > 0;
  }

  std::span<const ArmTrial> arms_;
  const SeveralOptions& options_;
  Rows rows_;
  std::vector<std::vector<float>> score_;
};

}  // namespace

base::Result<Several> assign_arms(std::span<const ArmTrial> arms, const SeveralOptions& options) {
  BECKON_CHECK(arms.size() > 1 && options.executor != nullptr && !options.seeds.empty() && options.folds > 1);
  return Assigning(arms, options).run();
}

}  // namespace beckon::uplift
