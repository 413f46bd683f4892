#include <algorithm>
#include <limits>

#include "beckon/model/ranking.h"
#include "beckon/model/train.h"
#include "beckon/tensor/tensor.h"

namespace beckon::model {
namespace {

constexpr std::size_t kTaskRows = 64;

std::vector<std::size_t> chosen(std::span<const Sequence> sequences, std::size_t count_max) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (!sequences[i].target.empty() && sequences[i].target.back() > 0) {
      all.push_back(i);
    }
  }
  if (count_max == 0 || all.size() <= count_max) {
    return all;
  }
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < count_max; ++i) {
    some.push_back(all[i * all.size() / count_max]);
  }
  return some;
}

struct Rankings {
  std::vector<float> logits;
  Evaluation sum;
};

void rank_rows(const Model& model, std::span<const Sequence* const> rows, const EvaluateOptions& options, Rankings& out) {
  const std::size_t tokens = model.tokens();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto scores = std::span(out.logits).subspan(r * tokens, tokens);
    const auto target = static_cast<std::size_t>(rows[r]->target.back());
    if (options.exclude_seen) {
      for (const std::int32_t token : rows[r]->token) {
        if (static_cast<std::size_t>(token) != target) {
          scores[static_cast<std::size_t>(token)] = -std::numeric_limits<float>::infinity();
        }
      }
    }
    const std::size_t rank = tensor::count_at_least(scores, scores[target]);
    out.sum.count += 1;
    out.sum.ndcg += ndcg_at(options.k, rank);
    out.sum.hit += hit_at(options.k, rank);
    out.sum.mrr += reciprocal_rank_at(options.k, rank);
  }
}

}  // namespace

Evaluation evaluate(const Model& model, std::span<const Sequence> sequences, const EvaluateOptions& options,
                    base::Executor& executor) {
  const auto index = chosen(sequences, options.count_max);
  std::vector<Sequence> histories;
  std::vector<const Sequence*> rows;
  for (const std::size_t i : index) {
    histories.push_back({sequences[i].token, sequences[i].side, {}, {}, sequences[i].at_ms, sequences[i].request_ms});
    rows.push_back(&sequences[i]);
  }
  const auto vectors = model.encode(histories, executor);
  const std::size_t tasks = (rows.size() + kTaskRows - 1) / kTaskRows;
  auto sum = executor.reduce<Evaluation>(
      tasks, {},
      [&](std::size_t task) {
        const std::size_t begin = task * kTaskRows;
        const std::size_t count = std::min(kTaskRows, rows.size() - begin);
        Rankings ranking;
        ranking.logits.resize(count * model.tokens());
        model.score_histories(std::span(histories).subspan(begin, count),
                              std::span(vectors).subspan(begin * model.width(), count * model.width()), ranking.logits);
        rank_rows(model, std::span(rows).subspan(begin, count), options, ranking);
        return ranking.sum;
      },
      [](Evaluation a, Evaluation b) {
        return Evaluation{a.count + b.count, a.ndcg + b.ndcg, a.hit + b.hit, a.mrr + b.mrr};
      });
  if (sum.count > 0) {
    const auto count = static_cast<double>(sum.count);
    sum.ndcg /= count;
    sum.hit /= count;
    sum.mrr /= count;
  }
  return sum;
}

}  // namespace beckon::model
