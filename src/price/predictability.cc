#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/price/columns.h"
#include "beckon/price/crossfit.h"
#include "dense.h"

namespace beckon::price {
namespace {

constexpr std::uint32_t kFolds = 5;
constexpr double kSmallCells = 50;

// Positions (not table rows) of a random part; cells stay whole where they are small.
std::vector<std::uint32_t> part_of(std::size_t rows, std::span<const std::uint32_t> cell, const PredictabilityOptions& options) {
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  if (rows <= options.rows_max) {
    return all;
  }
  base::Rng rng(options.seed, 3);
  const Codes cells = combine(cell, {}, rows);
  const bool whole = static_cast<double>(rows) < kSmallCells * static_cast<double>(cells.count);
  std::vector<double> ticket(whole ? cells.count : rows);
  std::ranges::generate(ticket, [&] { return rng.uniform(); });
  const double share = static_cast<double>(options.rows_max) / static_cast<double>(rows);
  std::vector<std::uint32_t> out;
  for (const auto i : all) {
    if (ticket[whole ? cells.code[i] : i] < share) {
      out.push_back(i);
    }
  }
  return out;
}

// So many labels of each category that all columns find room.
std::size_t labels_each(std::span<const table::Column* const> columns, std::size_t columns_max) {
  const auto categories = static_cast<std::size_t>(
      std::ranges::count_if(columns, [](const table::Column* column) { return column->kind == table::Kind::kCategory; }));
  const std::size_t numbers = 5 * (columns.size() - categories);
  const std::size_t room = columns_max > numbers ? columns_max - numbers : 0;
  return std::clamp<std::size_t>(categories == 0 ? 100 : room / categories, 5, 100);
}

// The target in another order, inside cells.
class Shuffler {
 public:
  explicit Shuffler(const Codes& cells) : members_(cells.count) {
    for (std::size_t i = 0; i < cells.code.size(); ++i) {
      members_[cells.code[i]].push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::vector<double> draw(std::span<const double> target, base::Rng rng) const {
    std::vector<double> out(target.begin(), target.end());
    for (const auto& rows : members_) {
      for (std::size_t i = rows.size(); i > 1; --i) {
        std::swap(out[rows[i - 1]], out[rows[static_cast<std::size_t>(rng.below(i))]]);
      }
    }
    return out;
  }

 private:
  std::vector<std::vector<std::uint32_t>> members_;
};

struct Standard {
  double mean = 0;
  double deviation = 0;
  double of(double value) const { return deviation > 0 ? (value - mean) / deviation : 0; }
};

// Blocks of very different size have very different noise: each is measured in deviations of its own permutations.
std::vector<Standard> standards(const std::vector<CrossRidge::Scores>& draws, std::size_t blocks) {
  std::vector<Standard> out(blocks);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::vector<double> values;
    for (const auto& draw : draws) {
      values.push_back(draw.blocks[b]);
    }
    out[b] = {mean_of(values), std::sqrt(squares_of(values) / static_cast<double>(values.size() - 1))};
  }
  return out;
}

void add_columns(const Encoded& x, const CrossRidge::Scores& seen, const std::vector<CrossRidge::Scores>& draws,
                 std::pair<const PredictabilityOptions*, Predictability*> options_and_out) {
  const auto [options, out] = options_and_out;
  const std::vector<Standard> scale = standards(draws, x.blocks.size());
  std::vector<double> largest;
  for (const auto& draw : draws) {
    double most = -1e300;
    for (std::size_t b = 0; b < x.blocks.size(); ++b) {
      most = std::max(most, scale[b].of(draw.blocks[b]));
    }
    largest.push_back(most);
  }
  for (std::size_t b = 0; b < x.blocks.size(); ++b) {
    const double place = scale[b].of(seen.blocks[b]);
    const auto above = std::ranges::count_if(largest, [&](double most) { return most >= place; });
    Finding finding{x.blocks[b].name, seen.blocks[b], static_cast<double>(above + 1) / static_cast<double>(draws.size() + 1), false};
    finding.predicts = finding.p_value <= options->p_max && finding.r2 >= options->r2_min;
    out->columns.push_back(std::move(finding));
  }
  std::ranges::sort(out->columns, [](const Finding& a, const Finding& b) { return a.r2 != b.r2 ? a.r2 > b.r2 : a.column < b.column; });
}

void add_all_together(const CrossRidge::Fit& fit, std::span<const double> target, Predictability& out) {
  double squares = 0;
  for (const double y : target) {
    squares += y * y;
  }
  double variance = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double part = fit.residual[i] * fit.residual[i] - (1 - fit.r2) * target[i] * target[i];
    variance += part * part;
  }
  const double reach = 1.959963984540054 * std::sqrt(variance) / squares;
  out.r2 = fit.r2;
  out.r2_low = fit.r2 - reach;
  out.r2_high = std::min(1.0, fit.r2 + reach);
}

}  // namespace

base::Result<Predictability> price_predictability(std::span<const table::Column* const> columns, std::span<const double> log_price, const Rows& rows,
                                                  const PredictabilityOptions& options) {
  BECKON_CHECK(log_price.size() == rows.index.size() && options.permutations >= 99);
  const std::vector<std::uint32_t> part = part_of(rows.index.size(), rows.cell, options);
  std::vector<std::uint32_t> index;
  std::vector<std::uint32_t> cell;
  std::vector<double> target;
  for (const auto i : part) {
    index.push_back(rows.index[i]);
    cell.push_back(rows.cell.empty() ? 0 : rows.cell[i]);
    target.push_back(log_price[i]);
  }
  Predictability out;
  out.rows = static_cast<std::int64_t>(part.size());
  if (part.size() < rows.index.size()) {
    out.notes.push_back("asked on a random " + std::to_string(part.size()) + " of " + std::to_string(rows.index.size()) + " rows");
  }
  const Codes cells = combine(cell, {}, part.size());
  target = demeaned(target, cells);
  EncodeOptions encoding;
  encoding.bends = false;
  encoding.leave_out = true;
  encoding.labels_max = labels_each(columns, encoding.columns_max);
  BECKON_TRY(Encoded x, encode(columns, index, encoding));
  standardise(x, cell);
  out.notes.insert(out.notes.end(), x.notes.begin(), x.notes.end());
  if (x.columns == 0) {
    return out;
  }
  const CrossRidge ridge(x, folds_of(part.size(), cell, {kFolds, options.seed}), kFolds);
  const CrossRidge::Scores seen = ridge.scores(target);
  const Shuffler shuffler(cells);
  std::vector<CrossRidge::Scores> draws(static_cast<std::size_t>(options.permutations));
  const std::function<void(std::size_t)> draw = [&](std::size_t d) {
    draws[d] = ridge.scores(shuffler.draw(target, base::Rng(options.seed, 1000 + d)));
  };
  if (options.executor != nullptr) {
    options.executor->run(draws.size(), draw);
  } else {
    for (std::size_t d = 0; d < draws.size(); ++d) {
      draw(d);
    }
  }
  add_columns(x, seen, draws, {&options, &out});
  add_all_together(ridge.fit(target), target, out);
  const auto above = std::ranges::count_if(draws, [&](const CrossRidge::Scores& d) { return d.all >= seen.all; });
  out.p_value = static_cast<double>(above + 1) / static_cast<double>(draws.size() + 1);
  out.predicts = (out.p_value <= options.p_max && out.r2 >= options.r2_min) ||
                 std::ranges::any_of(out.columns, [](const Finding& finding) { return finding.predicts; });
  return out;
}

}  // namespace beckon::price
