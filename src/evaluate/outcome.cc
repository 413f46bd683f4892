#include "outcome.h"

#include <algorithm>
#include <cmath>

#include "beckon/model/cost.h"

namespace beckon::evaluate {
namespace {

double seconds_of(const model::TrainReport& report) {
  double seconds = 0;
  for (const auto& epoch : report.epochs) {
    seconds += static_cast<double>(epoch.positions) / epoch.positions_per_second;
  }
  return seconds;
}

}  // namespace

base::Json figures_json(const Figures& figures) {
  base::Json out = base::Json::object();
  for (std::size_t c = 0; c < figures.names.size(); ++c) {
    out[figures.names[c]] = figures.mean[c];
  }
  out["coverage"] = figures.coverage;
  out["items_shown"] = figures.items_shown;
  return out;
}

Figures average(const std::vector<Run>& runs, const PartOf& part_of) {
  Figures out = part_of(runs.front());
  const auto count = static_cast<double>(runs.size());
  const auto mean_of = [&](const auto& value) {
    double sum = 0;
    for (const auto& run : runs) {
      sum += static_cast<double>(value(part_of(run)));
    }
    return sum / count;
  };
  for (std::size_t i = 0; i < out.each.size(); ++i) {
    out.each[i] = mean_of([&](const Figures& f) { return f.each[i]; });
  }
  for (std::size_t c = 0; c < out.mean.size(); ++c) {
    out.mean[c] = mean_of([&](const Figures& f) { return f.mean[c]; });
  }
  out.coverage = mean_of([](const Figures& f) { return f.coverage; });
  out.items_shown = std::llround(mean_of([](const Figures& f) { return f.items_shown; }));
  return out;
}

base::Json interval_json(const Figures& figures, const stats::BootstrapOptions& how) {
  base::Json out = base::Json::object();
  for (const auto& name : figures.names) {
    if (!name.ends_with("@10")) {
      continue;
    }
    const auto values = figures.values(name);
    const std::vector<double> nothing(values.size(), 0);
    const auto interval = stats::paired_bootstrap(values, nothing, how);
    out[name] = interval.ok() ? base::Json{interval->low, interval->high} : base::Json();
  }
  return out;
}

base::Json gain_json(const Figures& ours, const Figures& other, const stats::BootstrapOptions& how) {
  base::Json out = {{"ndcg@10", ours.at("ndcg@10") - other.at("ndcg@10")}, {"low", nullptr}, {"high", nullptr}};
  const auto gain = stats::paired_bootstrap(ours.values("ndcg@10"), other.values("ndcg@10"), how);
  if (gain.ok()) {
    out["low"] = gain->low;
    out["high"] = gain->high;
  }
  return out;
}

base::Json gain_over_floors(const Figures& ours, const std::vector<std::pair<std::string, Figures>>& floors,
                            const stats::BootstrapOptions& how) {
  const auto best = std::max_element(floors.begin(), floors.end(), [](const auto& a, const auto& b) {
    return a.second.at("ndcg@10") < b.second.at("ndcg@10");
  });
  base::Json out = gain_json(ours, best->second, how);
  out["best_floor"] = best->first;
  return out;
}

base::Json run_json(const Run& run, const Ground& ground) {
  double seconds = 0;
  double positions = 0;
  double to_best = 0;
  base::Json curve = base::Json::array();
  base::Json losses = base::Json::array();
  for (const auto& epoch : run.training.epochs) {
    positions += static_cast<double>(epoch.positions);
    seconds += static_cast<double>(epoch.positions) / epoch.positions_per_second;
    to_best = epoch.epoch == run.training.best_epoch ? seconds : to_best;
    curve.push_back({seconds, epoch.validation_ndcg10});
    losses.push_back({seconds, epoch.train_loss});
  }
  const double rate = positions / std::max(seconds, 1e-9);
  base::Json out = {{"seed", static_cast<std::int64_t>(run.seed)},
          {"test", figures_json(run.test)},
          {"validation", figures_json(run.validation)},
          {"epochs", static_cast<std::int64_t>(run.training.epochs.size())},
          {"best_epoch", run.training.best_epoch},
          {"stopped_early", run.training.stopped_early},
          {"train_seconds", seconds},
          {"seconds_to_best", run.training.best_epoch > 0 ? to_best : seconds},
          {"tokens_per_second", rate},
          {"sgemm_share", model::flops_per_position(*ground.shape) * rate / (ground.sgemm_gflops * 1e9)},
          {"peak_rss_mb", run.peak_rss_mb},
          {"curve", std::move(curve)},
          {"loss_curve", std::move(losses)},
          {"text_map", run.text_map},
          {"new_items", run.new_items}};
  if (run.fine_tuning.has_value()) {
    const double tuning_seconds = seconds_of(run.fine_tuning->training);
    out["fine_tuning"] = {{"epochs", static_cast<std::int64_t>(run.fine_tuning->training.epochs.size())},
                          {"seconds", tuning_seconds},
                          {"share_of_training_seconds", tuning_seconds / std::max(seconds, 1e-9)},
                          {"test_without", figures_json(run.fine_tuning->before)}};
  }
  return out;
}

}  // namespace beckon::evaluate
