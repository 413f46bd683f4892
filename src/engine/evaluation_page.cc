// The report of beckon evaluate as a page.
#include <cmath>

#include "pages.h"

namespace beckon::engine {
namespace {

using report::Align;

std::string figure(const base::Json& object, const std::string& key, const char* format = "%.4f") {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) {
    return "–";
  }
  char text[48];
  std::snprintf(text, sizeof text, format, object[key].get<double>());
  return text;
}

std::string name_of(const std::string& ranker) {
  static const std::vector<std::pair<std::string, std::string>> kNames{
      {"model", "beckon"}, {"network", "network alone"}, {"without_fine_tuning", "before the newest steps"}, {"popular", "popular"}, {"popular_7d", "popular, last 7 days"}, {"markov", "two-step Markov chain"},
      {"item_knn", "item neighbours"}, {"own_history", "own history"}, {"own_history_popular", "own history, then popular"}};
  const auto found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.first == ranker; });
  return found == kNames.end() ? ranker : found->second;
}

std::string interval_text(const base::Json& intervals, const std::string& ranker, const std::string& measure) {
  if (!intervals.contains(ranker) || !intervals[ranker].contains(measure) || !intervals[ranker][measure].is_array()) {
    return "–";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.4f … %.4f", intervals[ranker][measure][0].get<double>(), intervals[ranker][measure][1].get<double>());
  return text;
}

// The network and every floor that could be counted, with their figures.
std::vector<std::pair<std::string, base::Json>> rankers(const base::Json& json) {
  std::vector<std::pair<std::string, base::Json>> out{{"model", json["mean"]["test"]}};
  for (const char* name : {"network", "without_fine_tuning"}) {
    if (json["mean"].contains(name)) {
      out.emplace_back(name, json["mean"][name]);
    }
  }
  for (const auto& [name, figures] : json["floors"].items()) {
    out.emplace_back(name, figures);
  }
  return out;
}

report::Table comparison_table(const base::Json& json) {
  report::Table table;
  table.title = "Test part";
  table.columns = {{"method", Align::kLeft}, {"NDCG@10", Align::kRight}, {"95 % interval", Align::kRight}, {"HR@10", Align::kRight}};
  const bool baskets = json["mean"]["test"].contains("recall@10");
  if (baskets) {
    table.columns.push_back({"recall@10", Align::kRight});
    table.columns.push_back({"precision@10", Align::kRight});
  }
  table.columns.push_back({"items shown", Align::kRight});
  for (const auto& [name, figures] : rankers(json)) {
    std::vector<std::string> row{name_of(name), figure(figures, "ndcg@10"), interval_text(json["intervals"], name, "ndcg@10"),
                                 figure(figures, "hr@10")};
    if (baskets) {
      row.push_back(figure(figures, "recall@10"));
      row.push_back(figure(figures, "precision@10"));
    }
    row.push_back(figures.is_object() ? base::with_thousands(base::int_or(figures, "items_shown")) : "no times in the data");
    table.rows.push_back(std::move(row));
  }
  table.note = "Intervals: bootstrap over customers. Items shown: different ones in the first ten of anybody.";
  if (json["mean"].contains("fine_tuning_gain")) {
    const base::Json& gain = json["mean"]["fine_tuning_gain"];
    table.note += " Learning the steps between validation and test too changed NDCG@10 by " + figure(gain, "ndcg@10", "%+.4f") + " (" +
                  figure(gain, "low", "%+.4f") + " … " + figure(gain, "high", "%+.4f") + ") and took " +
                  percent(base::real_or(json["runs"][0]["fine_tuning"], "share_of_training_seconds"), 0) + " of the training's time.";
  }
  return table;
}

report::Chart comparison_chart(const base::Json& json) {
  report::Chart chart;
  chart.kind = report::ChartKind::kBars;
  chart.title = "NDCG@10 on the test part";
  chart.y_label = "NDCG@10 with 95 % interval";
  report::Series series{"NDCG@10", {}, {}, {}};
  for (const auto& [name, figures] : rankers(json)) {
    const base::Json interval = json["intervals"].contains(name) ? json["intervals"][name]["ndcg@10"] : base::Json();
    if (!figures.is_object()) {
      continue;
    }
    const double value = base::real_or(figures, "ndcg@10");
    chart.categories.push_back(name_of(name));
    series.y.push_back(value);
    series.low.push_back(interval.is_array() ? interval[0].get<double>() : value);
    series.high.push_back(interval.is_array() ? interval[1].get<double>() : value);
  }
  chart.series = {series};
  return chart;
}

report::Table cutoff_table(const base::Json& json) {
  report::Table table;
  table.title = "beckon at other cut-offs";
  table.columns = {{"measure", Align::kLeft}, {"@1", Align::kRight}, {"@5", Align::kRight}, {"@10", Align::kRight}, {"@20", Align::kRight}};
  for (const char* part : {"test", "validation"}) {
    const base::Json& figures = json["mean"][part];
    for (const auto& [key, name] : {std::pair{"hr@", "hit rate"}, {"ndcg@", "NDCG"}, {"mrr@", "MRR"}}) {
      std::vector<std::string> row{std::string(name) + ", " + part};
      for (const char* k : {"1", "5", "10", "20"}) {
        row.push_back(figure(figures, std::string(key) + k));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

// One line a seed over epochs; seeds stop at different ones.
report::Chart curve_chart(const base::Json& runs, const std::string& key, const std::pair<std::string, std::string>& title_and_label) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = title_and_label.first;
  chart.x_label = "epoch";
  chart.y_label = title_and_label.second;
  std::size_t longest = 0;
  for (const auto& run : runs) {
    longest = std::max(longest, run[key].size());
  }
  for (std::size_t e = 1; e <= longest; ++e) {
    chart.x.push_back(static_cast<double>(e));
  }
  for (const auto& run : runs) {
    report::Series series{"seed " + std::to_string(base::int_or(run, "seed")), {}, {}, {}};
    for (std::size_t e = 0; e < longest; ++e) {
      series.y.push_back(e < run[key].size() ? run[key][e][1].get<double>() : std::nan(""));
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

report::Section training_section(const base::Json& json) {
  report::Section section;
  section.heading = "Training";
  const base::Json& runs = json["runs"];
  section.charts = {curve_chart(runs, "curve", {"Validation", "NDCG@10"}), curve_chart(runs, "loss_curve", {"Training loss", "mean loss of the epoch"})};
  report::Table table;
  table.title = "Runs";
  table.columns = {{"seed", Align::kRight}, {"best epoch", Align::kRight}, {"to best", Align::kRight, "s"}, {"all", Align::kRight, "s"},
                   {"tokens/s", Align::kRight}, {"of sgemm", Align::kRight}, {"peak", Align::kRight, "MiB"},
                   {"chosen at", Align::kRight}, {"NDCG@10", Align::kRight}, {"HR@10", Align::kRight}};
  for (const auto& run : runs) {
    table.rows.push_back({std::to_string(base::int_or(run, "seed")),
                          std::to_string(base::int_or(run, "best_epoch")) + " of " + std::to_string(base::int_or(run, "epochs")),
                          figure(run, "seconds_to_best", "%.1f"), figure(run, "train_seconds", "%.1f"),
                          base::with_thousands(std::llround(base::real_or(run, "tokens_per_second"))), percent(base::real_or(run, "sgemm_share"), 0),
                          base::with_thousands(std::llround(base::real_or(run, "peak_rss_mb"))), figure(run["validation"], "ndcg@10"),
                          figure(run["test"], "ndcg@10"), figure(run["test"], "hr@10")});
  }
  table.note = "Chosen at: NDCG@10 of the best epoch on validation. Seconds of training alone, without validation. The machine's own sgemm reached " +
               figure(json["config"], "sgemm_gflops", "%.0f") + " GFLOP/s on " + std::to_string(base::int_or(json["config"], "threads")) +
               " threads just before.";
  section.tables = {table};
  return section;
}

std::string plain(const base::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_number_integer() ? base::with_thousands(value.get<std::int64_t>())
         : value.is_null() ? "–" : value.dump();
}

report::Section method_section(const base::Json& json) {
  report::Section section;
  section.heading = "How it was measured";
  section.paragraphs = {"Every item that training or validation saw is ranked for every test customer, never a sample; among equal scores the wanted "
                        "item stands last. The epoch is chosen on the validation part, and nothing is chosen on the test part. The floors count "
                        "everything before the test part."};
  report::Table table;
  table.columns = {{"setting", Align::kLeft}, {"value", Align::kLeft}};
  for (const auto& [key, value] : json["config"].items()) {
    if (!value.is_object()) {
      table.rows.push_back({key, plain(value)});
      continue;
    }
    for (const auto& [name, setting] : value.items()) {
      std::string row = key;
      table.rows.push_back({row.append(".").append(name), plain(setting)});
    }
  }
  section.tables = {table};
  if (json.contains("rejected") && base::int_or(json["rejected"], "count") > 0) {
    std::string text = base::with_thousands(base::int_or(json["rejected"], "count")) + " lines could not be read and were left out:";
    for (const auto& line : json["rejected"]["lines"]) {
      text += " line " + std::to_string(base::int_or(line, "line")) + " (" + base::string_or(line, "reason") + ")";
    }
    section.callouts = {{report::CalloutKind::kWarning, text}};
  }
  return section;
}

}  // namespace

report::Page evaluation_page(const base::Json& json) {
  const base::Json& config = json["config"];
  const base::Json& gain = json["gain"];
  const base::Json& first = json["runs"][0];
  report::Page page;
  page.title = "What comes next: " + base::string_or(config, "data");
  page.subtitle = "Protocol " + base::string_or(config, "protocol") + ", repeats " + (base::string_or(config, "repeats") == "filter" ? "filtered" : "allowed") +
                  ", " + base::with_thousands(base::int_or(config, "test_customers")) + " test customers, " +
                  base::with_thousands(base::int_or(config, "items")) + " items ranked";
  const bool better = gain.contains("low") && gain["low"].is_number() && gain["low"].get<double>() > 0;
  page.figures = {{"NDCG@10", figure(json["mean"]["test"], "ndcg@10"), interval_text(json["intervals"], "model", "ndcg@10")},
                  {"HR@10", figure(json["mean"]["test"], "hr@10"), interval_text(json["intervals"], "model", "hr@10")},
                  {"Gain over the best floor", figure(gain, "ndcg@10", "%+.4f"),
                   name_of(base::string_or(gain, "best_floor")) + ", 95 %: " + figure(gain, "low", "%+.4f") + " … " + figure(gain, "high", "%+.4f"),
                   better ? report::Tone::kGood : report::Tone::kWarning},
                  {"Training", figure(first, "seconds_to_best", "%.0f s"), "to the best epoch of seed " + std::to_string(base::int_or(first, "seed"))}};
  report::Section quality;
  quality.heading = "Beside what it has to beat";
  if (!better) {
    quality.callouts = {{report::CalloutKind::kNotice, "The model does not beat " + name_of(base::string_or(gain, "best_floor")) +
                                                           " for sure: the interval of the gain holds 0 or lies below."}};
  }
  quality.charts = {comparison_chart(json)};
  quality.tables = {comparison_table(json), cutoff_table(json)};
  page.sections = {quality, training_section(json), method_section(json)};
  return page;
}

}  // namespace beckon::engine
