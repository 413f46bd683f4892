#include "smooth.h"

#include <algorithm>
#include <cmath>

namespace beckon::allocate {
namespace {

struct Scored {
  double reduced;
  std::uint32_t candidate;
};

struct RowAmount {
  std::size_t row;
  double amount;
};

// The work on one lane's customers.
class Lane {
 public:
  Lane(const Instance& instance, std::span<const double> dual, const Pass& pass, Evaluation& out)
      : in_(instance), dual_(dual), pass_(pass), out_(out), width_(static_cast<std::size_t>(instance.picks_max)) {}

  void customer(std::size_t i) {
    const auto begin = static_cast<std::uint32_t>(in_.start[i]);
    const auto end = static_cast<std::uint32_t>(in_.start[i + 1]);
    if (width_ == 1 && single(begin, end)) {
      return;
    }
    collect(begin, end);
    if (!scored_.empty() && !integral()) {
      project();
    }
  }

 private:
  double reduced(std::uint32_t c) const {
    double r = in_.value[c];
    for (std::uint32_t l = in_.link_start[c]; l < in_.link_start[c + 1]; ++l) {
      r -= static_cast<double>(in_.links[l].amount) * dual_[static_cast<std::size_t>(in_.links[l].row)];
    }
    return r;
  }

  void use(std::uint32_t c, double x) {
    for (std::uint32_t l = in_.link_start[c]; l < in_.link_start[c + 1]; ++l) {
      out_.usage[static_cast<std::size_t>(in_.links[l].row)] += x * static_cast<double>(in_.links[l].amount);
    }
  }

  void take(const Scored& scored) {
    out_.value += scored.reduced - pass_.gamma / 2;
    use(scored.candidate, 1);
  }

  // The common case without sorting: one pick, and the best is clear. False when a projection is needed.
  bool single(std::uint32_t begin, std::uint32_t end) {
    Scored best{0, begin};
    double second = 0;
    for (std::uint32_t c = begin; c < end; ++c) {
      const double r = reduced(c);
      if (r > best.reduced) {
        second = best.reduced;
        best = {r, c};
      } else {
        second = std::max(second, r);
      }
    }
    if (!(best.reduced > 0)) {
      return true;
    }
    if (best.reduced < pass_.gamma || best.reduced - second < pass_.gamma) {
      return false;
    }
    take(best);
    return true;
  }

  // Candidates with a positive reduced value, best first; of a group only the best.
  void collect(std::uint32_t begin, std::uint32_t end) {
    scored_.clear();
    for (std::uint32_t c = begin; c < end; ++c) {
      if (const double r = reduced(c); r > 0) {
        scored_.push_back({r, c});
      }
    }
    std::sort(scored_.begin(), scored_.end(), [](const Scored& a, const Scored& b) {
      return a.reduced != b.reduced ? a.reduced > b.reduced : a.candidate < b.candidate;
    });
    if (in_.group.empty()) {
      return;
    }
    std::size_t kept = 0;
    for (const Scored scored : scored_) {
      const auto group = in_.group[scored.candidate];
      const bool again = group >= 0 && std::any_of(scored_.begin(), scored_.begin() + static_cast<std::ptrdiff_t>(kept),
                                                   [&](const Scored& s) { return in_.group[s.candidate] == group; });
      if (!again) {
        scored_[kept++] = scored;
      }
    }
    scored_.resize(kept);
  }

  bool integral() {
    const std::size_t picks = std::min(width_, scored_.size());
    const double next = picks < scored_.size() ? scored_[picks].reduced : 0;
    const double last = scored_[picks - 1].reduced;
    if (last < pass_.gamma || last - next < pass_.gamma) {
      return false;
    }
    for (std::size_t j = 0; j < picks; ++j) {
      take(scored_[j]);
    }
    return true;
  }

  // Smallest shift >= 0 with Σ clip(r/γ - shift, 0, 1) <= picks: a sweep down over the points where a term starts or is full.
  double shift() const {
    double sum = 0;
    for (const auto& s : scored_) {
      sum += std::min(1.0, s.reduced / pass_.gamma);
    }
    const auto limit = static_cast<double>(width_);
    if (sum <= limit) {
      return 0;
    }
    double at = scored_[0].reduced / pass_.gamma;
    double filled = 0;
    std::size_t started = 0;
    std::size_t full = 0;
    while (true) {
      const double start = started < scored_.size() ? scored_[started].reduced / pass_.gamma : -1;
      const double fill = full < started ? scored_[full].reduced / pass_.gamma - 1 : -1;
      const double next = std::max(0.0, std::max(start, fill));
      const auto slope = static_cast<double>(started - full);
      if (filled + slope * (at - next) >= limit || next <= 0) {
        return slope > 0 ? std::max(0.0, at - (limit - filled) / slope) : next;
      }
      filled += slope * (at - next);
      at = next;
      start >= fill ? ++started : ++full;
    }
  }

  void project() {
    const double down = shift();
    fractional_.clear();
    for (const auto& s : scored_) {
      const double y = s.reduced / pass_.gamma;
      const double x = std::min(1.0, y - down);
      if (!(x > 0)) {
        break;  // best first: nobody after this one gets anything
      }
      out_.value += pass_.gamma * (x * y - x * x / 2);
      use(s.candidate, x);
      if (x < 1) {
        fractional_.push_back(s.candidate);
      }
    }
    if (pass_.hessian) {
      curvature(down > 0);
    }
  }

  // (1/γ) A_S (I - 11ᵀ/|S|) A_Sᵀ over the fractional candidates S; without the second term when Σx <= picks is slack.
  void curvature(bool tight) {
    const auto rows = static_cast<std::size_t>(in_.rows);
    const double weight = 1 / pass_.gamma;
    sums_.clear();
    for (const auto c : fractional_) {
      const Link* links = in_.links.data() + in_.link_start[c];
      const std::size_t count = in_.link_start[c + 1] - in_.link_start[c];
      for (std::size_t p = 0; p < count; ++p) {
        const auto row = static_cast<std::size_t>(links[p].row);
        const double amount = links[p].amount;
        for (std::size_t q = 0; q < count; ++q) {
          if (links[q].row <= links[p].row) {
            out_.hessian[row * rows + static_cast<std::size_t>(links[q].row)] += weight * amount * static_cast<double>(links[q].amount);
          }
        }
        if (tight) {
          const auto found = std::find_if(sums_.begin(), sums_.end(), [&](const RowAmount& s) { return s.row == row; });
          found == sums_.end() ? sums_.push_back({row, amount}) : static_cast<void>(found->amount += amount);
        }
      }
    }
    const double share = weight / static_cast<double>(std::max<std::size_t>(1, fractional_.size()));
    for (const auto& p : sums_) {
      for (const auto& q : sums_) {
        if (q.row <= p.row) {
          out_.hessian[p.row * rows + q.row] -= share * p.amount * q.amount;
        }
      }
    }
  }

  const Instance& in_;
  std::span<const double> dual_;
  const Pass& pass_;
  Evaluation& out_;
  std::size_t width_;
  std::vector<Scored> scored_;
  std::vector<std::uint32_t> fractional_;
  std::vector<RowAmount> sums_;
};

}  // namespace

Evaluator::Evaluator(const Instance& instance, base::Executor* executor) : instance_(instance), executor_(executor) {
  // A Hessian per lane: as many lanes as fit into 64 MiB, a number that depends on the problem alone.
  const auto bytes = std::max<std::int64_t>(1, instance.rows * instance.rows * 8);
  lanes_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>((std::int64_t{64} << 20) / bytes, 4, 64)));
}

const Evaluation& Evaluator::run(std::span<const double> dual, const Pass& pass) {
  const auto rows = static_cast<std::size_t>(instance_.rows);
  const std::size_t cells = pass.hessian ? rows * rows : 0;
  run_tasks(executor_, lanes_.size(), [&](std::size_t lane) {
    Evaluation& out = lanes_[lane];
    out.value = 0;
    out.usage.assign(rows, 0);
    out.hessian.assign(cells, 0);
    Lane work(instance_, dual, pass, out);
    const auto end = part_begin(pass.customers, lane + 1, lanes_.size());
    for (auto i = part_begin(pass.customers, lane, lanes_.size()); i < end; ++i) {
      work.customer(static_cast<std::size_t>(i));
    }
  });
  total_.value = 0;
  total_.usage.assign(rows, 0);
  total_.hessian.assign(cells, 0);
  for (const auto& lane : lanes_) {
    total_.value += lane.value;
    for (std::size_t m = 0; m < rows; ++m) {
      total_.usage[m] += lane.usage[m];
    }
    for (std::size_t h = 0; h < cells; ++h) {
      total_.hessian[h] += lane.hessian[h];
    }
  }
  passes_ += static_cast<double>(pass.customers) / static_cast<double>(std::max<std::int64_t>(1, instance_.customers()));
  return total_;
}

}  // namespace beckon::allocate
