#include "beckon/uplift/learners.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"

namespace beckon::uplift {
namespace {

using Rows = std::vector<std::uint32_t>;
using Scores = std::vector<float>;

// x with the treatment as a last column, and its products with the others where the base does not find them itself.
Matrix with_treatment(const Matrix& x, std::span<const std::uint32_t> rows, const std::function<float(std::size_t)>& treatment, bool products) {
  Matrix out;
  out.rows = rows.size();
  out.columns = x.columns + 1 + (products ? x.columns : 0);
  out.values.reserve(out.rows * out.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = x.row(rows[i]);
    const float t = treatment(i);
    out.values.insert(out.values.end(), row.begin(), row.end());
    out.values.push_back(t);
    for (std::size_t c = 0; products && c < x.columns; ++c) {
      out.values.push_back(row[c] * t);
    }
  }
  return out;
}

Rows every(std::size_t count) {
  Rows out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<std::uint32_t>(i);
  }
  return out;
}

// Everything one base learns from one set of rows; parts that several learners need are learned once.
class Study {
 public:
  Study(const Trial& trial, std::span<const std::uint32_t> rows, const Base& base, const LearnOptions& options)
      : trial_(trial), rows_(rows.begin(), rows.end()), base_(base), options_(options) {
    for (const std::uint32_t r : rows_) {
      (trial.treated[r] != 0 ? treated_ : control_).push_back(r);
    }
  }

  base::Result<Scores> score(Learner learner, const Ask& ask) {
    switch (learner) {
      case Learner::kResponse: return response(ask);
      case Learner::kSingle: return single(ask);
      case Learner::kTwo: return two(ask);
      case Learner::kCross: return cross(ask);
      case Learner::kResidual: return residual(ask);
      case Learner::kDoublyRobust: return doubly_robust(ask);
      case Learner::kTransformed: return transformed(ask);
      case Learner::kClassTransformed: return class_transformed(ask);
      case Learner::kEnsemble: break;
    }
    BECKON_CHECK(false);
    return Scores();
  }

 private:
  using Part = std::unique_ptr<Fitted>;
  struct Both {
    Part treated;
    Part control;
  };

  base::Result<Part> fit(const Rows& rows, const Scores& outcome, Response response, const Scores& weight = {}) {
    BECKON_TRY(Prepared * prepared, prepared_for(rows));
    return base_.fit({&trial_.x, rows, outcome, weight, response, options_.seed, prepared});
  }
  // Sets that several learners learn from are prepared once.
  base::Result<Prepared*> prepared_for(const Rows& rows) {
    const std::size_t set = &rows == &rows_ ? 0 : &rows == &treated_ ? 1 : &rows == &control_ ? 2 : 3;
    if (set == 3) {
      return static_cast<Prepared*>(nullptr);
    }
    if (prepared_[set] == nullptr) {
      BECKON_TRY(prepared_[set], base_.prepare(trial_.x, rows));
    }
    return prepared_[set].get();
  }
  base::Result<Part> fit_outcome(const Rows& rows) { return fit(rows, outcomes(rows), trial_.response); }
  Scores outcomes(const Rows& rows) const {
    Scores out;
    for (const std::uint32_t r : rows) {
      out.push_back(trial_.outcome[r]);
    }
    return out;
  }
  static Scores answers(const Fitted& part, const Matrix& x, const Rows& rows) {
    Scores out(rows.size());
    part.predict(x, rows, out);
    return out;
  }

  base::Result<const Both*> by_group() {
    if (!both_.has_value()) {
      Both both;
      BECKON_TRY(both.treated, fit_outcome(treated_));
      BECKON_TRY(both.control, fit_outcome(control_));
      both_ = std::move(both);
    }
    return &*both_;
  }

  base::Result<Scores> response(const Ask& ask) {
    BECKON_TRY(const Part part, fit_outcome(rows_));
    return answers(*part, *ask.x, ask.rows);
  }

  base::Result<Scores> single(const Ask& ask) const {
    const bool products = !base_.finds_interactions();
    const Matrix x = with_treatment(trial_.x, rows_, [&](std::size_t i) { return trial_.treated[rows_[i]] != 0 ? 1.0F : 0.0F; }, products);
    const Rows all = every(rows_.size());
    BECKON_TRY(const Part part, base_.fit({&x, all, outcomes(rows_), {}, trial_.response, options_.seed}));
    Scores out;
    constexpr std::size_t kBlock = 16'384;
    for (std::size_t begin = 0; begin < ask.rows.size(); begin += kBlock) {
      const auto some = std::span(ask.rows).subspan(begin, std::min(kBlock, ask.rows.size() - begin));
      const Rows block = every(some.size());
      const Scores with = answers(*part, with_treatment(*ask.x, some, [](std::size_t) { return 1.0F; }, products), block);
      const Scores without = answers(*part, with_treatment(*ask.x, some, [](std::size_t) { return 0.0F; }, products), block);
      for (std::size_t i = 0; i < block.size(); ++i) {
        out.push_back(with[i] - without[i]);
      }
    }
    return out;
  }

  base::Result<Scores> two(const Ask& ask) {
    BECKON_TRY(const Both* both, by_group());
    Scores out = answers(*both->treated, *ask.x, ask.rows);
    const Scores without = answers(*both->control, *ask.x, ask.rows);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] -= without[i];
    }
    return out;
  }

  base::Result<Scores> cross(const Ask& ask) {
    BECKON_TRY(const Both* both, by_group());
    Scores gained = answers(*both->control, trial_.x, treated_);
    for (std::size_t i = 0; i < gained.size(); ++i) {
      gained[i] = trial_.outcome[treated_[i]] - gained[i];
    }
    Scores missed = answers(*both->treated, trial_.x, control_);
    for (std::size_t i = 0; i < missed.size(); ++i) {
      missed[i] -= trial_.outcome[control_[i]];
    }
    BECKON_TRY(const Part of_treated, fit(treated_, gained, Response::kAmount));
    BECKON_TRY(const Part of_control, fit(control_, missed, Response::kAmount));
    Scores out = answers(*of_treated, *ask.x, ask.rows);
    const Scores other = answers(*of_control, *ask.x, ask.rows);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const float e = ask.propensity[i];
      out[i] = e * other[i] + (1 - e) * out[i];
    }
    return out;
  }

  // μ1 and μ0 for every row, from models that have not seen it.
  struct Nuisance {
    Scores treated;
    Scores control;
  };
  base::Result<const Nuisance*> cross_fitted() {
    if (nuisance_.has_value()) {
      return &*nuisance_;
    }
    const auto folds = static_cast<std::size_t>(options_.inner_folds);
    const std::vector<std::size_t> fold = deal(trial_, rows_, folds, options_.seed);
    Nuisance out{Scores(rows_.size()), Scores(rows_.size())};
    for (std::size_t k = 0; k < folds; ++k) {
      std::array<Rows, 2> learn;
      std::vector<std::size_t> places;
      Rows held;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (fold[i] == k) {
          places.push_back(i);
          held.push_back(rows_[i]);
        } else {
          learn[trial_.treated[rows_[i]] != 0 ? 1 : 0].push_back(rows_[i]);
        }
      }
      for (const std::size_t group : {0U, 1U}) {
        BECKON_TRY(const Part part, fit_outcome(learn[group]));
        const Scores said = answers(*part, trial_.x, held);
        Scores& to = group == 1 ? out.treated : out.control;
        for (std::size_t i = 0; i < places.size(); ++i) {
          to[places[i]] = said[i];
        }
      }
    }
    nuisance_ = std::move(out);
    return &*nuisance_;
  }

  base::Result<Scores> residual(const Ask& ask) {
    BECKON_TRY(const Nuisance* nuisance, cross_fitted());
    Scores ratio(rows_.size());
    Scores weight(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const float e = trial_.propensity[rows_[i]];
      const float m = e * nuisance->treated[i] + (1 - e) * nuisance->control[i];
      const float left = static_cast<float>(trial_.treated[rows_[i]]) - e;
      ratio[i] = (trial_.outcome[rows_[i]] - m) / left;
      weight[i] = left * left;
    }
    BECKON_TRY(const Part part, fit(rows_, ratio, Response::kAmount, weight));
    return answers(*part, *ask.x, ask.rows);
  }

  base::Result<Scores> doubly_robust(const Ask& ask) {
    BECKON_TRY(const Nuisance* nuisance, cross_fitted());
    Scores effect(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const float e = trial_.propensity[rows_[i]];
      const bool treated = trial_.treated[rows_[i]] != 0;
      const float y = trial_.outcome[rows_[i]];
      effect[i] = nuisance->treated[i] - nuisance->control[i] + (treated ? (y - nuisance->treated[i]) / e : (nuisance->control[i] - y) / (1 - e));
    }
    BECKON_TRY(const Part part, fit(rows_, effect, Response::kAmount));
    return answers(*part, *ask.x, ask.rows);
  }

  base::Result<Scores> transformed(const Ask& ask) {
    Scores outcome(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const float e = trial_.propensity[rows_[i]];
      outcome[i] = trial_.treated[rows_[i]] != 0 ? trial_.outcome[rows_[i]] / e : -trial_.outcome[rows_[i]] / (1 - e);
    }
    BECKON_TRY(const Part part, fit(rows_, outcome, Response::kAmount));
    return answers(*part, *ask.x, ask.rows);
  }

  base::Result<Scores> class_transformed(const Ask& ask) {
    BECKON_CHECK(trial_.response == Response::kProbability);
    Scores same(rows_.size());
    Scores weight(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const bool treated = trial_.treated[rows_[i]] != 0;
      same[i] = (trial_.outcome[rows_[i]] > 0) == treated ? 1 : 0;
      const float e = trial_.propensity[rows_[i]];
      weight[i] = 0.5F / (treated ? e : 1 - e);  // 1 in an even trial
    }
    BECKON_TRY(const Part part, fit(rows_, same, Response::kProbability, weight));
    Scores out = answers(*part, *ask.x, ask.rows);
    for (float& score : out) {
      score = 2 * score - 1;
    }
    return out;
  }

  const Trial& trial_;
  Rows rows_;
  Rows treated_;
  Rows control_;
  const Base& base_;
  const LearnOptions& options_;
  std::array<std::unique_ptr<Prepared>, 3> prepared_;  // all rows, treated, control
  std::optional<Both> both_;
  std::optional<Nuisance> nuisance_;
};

}  // namespace

std::size_t Trial::customers() const {
  return customer.empty() ? treated.size() : std::size_t{*std::ranges::max_element(customer)} + 1;
}

std::vector<std::size_t> deal(const Trial& trial, std::span<const std::uint32_t> rows, std::size_t folds, std::uint64_t seed) {
  std::vector<std::size_t> out(rows.size());
  if (!trial.customer.empty()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out[i] = base::Rng(seed ^ 0xDEA1, trial.customer[rows[i]]).below(folds);
    }
    return out;
  }
  base::Rng rng(seed, 0xDEA1);
  for (const bool treated : {false, true}) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if ((trial.treated[rows[i]] != 0) == treated) {
        places.push_back(i);
      }
    }
    rng.shuffle(places);
    for (std::size_t i = 0; i < places.size(); ++i) {
      out[places[i]] = i % folds;
    }
  }
  return out;
}

std::string name_of(Learner learner) {
  constexpr const char* kNames[] = {"response", "s", "t", "x", "r", "dr", "to", "ct", "ensemble"};
  return kNames[static_cast<std::size_t>(learner)];
}

base::Result<std::vector<std::vector<float>>> learn_and_score(const Trial& trial, std::span<const std::uint32_t> rows, const std::vector<Candidate>& candidates,
                                                              const Ask& ask, const LearnOptions& options) {
  BECKON_CHECK(!options.bases.empty() && options.inner_folds >= 2 && ask.x != nullptr && ask.propensity.size() == ask.rows.size());
  constexpr Learner kMembers[] = {Learner::kCross, Learner::kResidual, Learner::kDoublyRobust};
  const bool together = std::ranges::find(candidates, Learner::kEnsemble, &Candidate::learner) != candidates.end();
  std::vector<Scores> out(candidates.size());
  Scores ensemble(ask.rows.size(), 0);
  for (std::size_t b = 0; b < options.bases.size(); ++b) {
    Study study(trial, rows, *options.bases[b], options);
    const auto wanted = [&](const Candidate& c) { return c.learner != Learner::kEnsemble && c.base == b; };
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (wanted(candidates[c])) {
        BECKON_TRY(out[c], study.score(candidates[c].learner, ask));
      }
    }
    for (const Learner member : kMembers) {
      if (!together) {
        break;
      }
      const auto known = std::ranges::find(candidates, Candidate{member, b});
      Scores scores;
      if (known != candidates.end()) {
        scores = out[static_cast<std::size_t>(known - candidates.begin())];
      } else {
        BECKON_TRY(scores, study.score(member, ask));
      }
      for (std::size_t i = 0; i < ensemble.size(); ++i) {
        ensemble[i] += scores[i] / static_cast<float>(std::size(kMembers) * options.bases.size());
      }
    }
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (candidates[c].learner == Learner::kEnsemble) {
      out[c] = ensemble;
    }
  }
  return out;
}

}  // namespace beckon::uplift
