#include "instance.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace beckon::allocate {
namespace {

constexpr std::int64_t kSumMax = std::int64_t{1} << 62;
constexpr std::size_t kParts = 64;  // fixed, so that sums are folded in the same order for every number of workers

base::Error wrong(const std::string& what) { return base::invalid_argument("allocation problem: " + what); }

base::Status check_starts(const std::vector<std::int64_t>& start, std::size_t count, const char* name) {
  if (start.empty() || start.front() != 0 || start.back() != static_cast<std::int64_t>(count)) {
    return wrong(std::string(name) + " must run from 0 to " + std::to_string(count));
  }
  if (!std::is_sorted(start.begin(), start.end())) {
    return wrong(std::string(name) + " must not decrease");
  }
  return base::ok_status();
}

// Sums of a part of the candidates, or the first thing that is wrong with them.
struct Sums {
  std::vector<std::int64_t> amount;  // (rows)
  std::int64_t value = 0;
  std::string problem;
  bool add(std::int64_t& sum, std::int64_t more) {
    const bool fits = more >= 0 && more <= kSumMax - sum;
    sum += fits ? more : 0;
    return fits;
  }
};

std::string check_uses(const Problem& problem, std::int64_t candidate, Sums& sums) {
  const auto uses = problem.uses_of(candidate);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const auto where = [&](const char* what) {
      return "candidate " + std::to_string(candidate) + what + std::to_string(uses[i].row);
    };
    if (uses[i].row < 0 || uses[i].row >= problem.rows()) {
      return where(" uses a row that does not exist: ");
    }
    if (!sums.add(sums.amount[static_cast<std::size_t>(uses[i].row)], uses[i].amount)) {
      return where(" uses a negative or too large amount of row ");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (uses[j].row == uses[i].row) {
        return where(" lists twice row ");
      }
    }
  }
  return {};
}

constexpr const char* kValuesTooLarge = "the values sum to more than 2^62: use a coarser unit";

Sums check_part(const Problem& problem, std::size_t part) {
  Sums sums;
  sums.amount.assign(problem.capacity.size(), 0);
  const auto count = static_cast<std::int64_t>(problem.value.size());
  for (auto c = part_begin(count, part, kParts); c < part_begin(count, part + 1, kParts) && sums.problem.empty(); ++c) {
    sums.problem = check_uses(problem, c, sums);
    if (!sums.add(sums.value, std::max<std::int64_t>(0, problem.value[static_cast<std::size_t>(c)]))) {
      sums.problem = kValuesTooLarge;
    }
  }
  return sums;
}

bool can_be_picked(const Problem& problem, std::int64_t candidate) {
  if (problem.value[static_cast<std::size_t>(candidate)] <= 0) {
    return false;
  }
  const auto uses = problem.uses_of(candidate);
  return std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
    return use.amount <= problem.capacity[static_cast<std::size_t>(use.row)];
  });
}

// Where each customer's candidates and links go.
struct Layout {
  std::vector<std::int64_t> order;       // instance customer → problem customer
  std::vector<std::int64_t> candidates;  // (customers + 1) running sums
  std::vector<std::int64_t> links;
};

Layout make_layout(const Context& context) {
  const Problem& problem = context.problem;
  const Options& options = context.options;
  Layout layout;
  const std::int64_t customers = problem.customers();
  layout.order.resize(static_cast<std::size_t>(customers));
  std::iota(layout.order.begin(), layout.order.end(), std::int64_t{0});
  base::Rng(options.seed, 1).shuffle(layout.order);
  layout.candidates.assign(layout.order.size() + 1, 0);
  layout.links.assign(layout.order.size() + 1, 0);
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    for (auto i = part_begin(customers, part, kParts); i < part_begin(customers, part + 1, kParts); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto owner = static_cast<std::size_t>(layout.order[at]);
      for (auto c = problem.customer_start[owner]; c < problem.customer_start[owner + 1]; ++c) {
        if (context.can(c)) {
          ++layout.candidates[at + 1];
          for (const auto& use : problem.uses_of(c)) {
            layout.links[at + 1] += use.amount > 0 ? 1 : 0;
          }
        }
      }
    }
  });
  // Customers with nothing to pick go, the others keep their random order.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < layout.order.size(); ++i) {
    if (layout.candidates[i + 1] > 0) {
      layout.order[kept] = layout.order[i];
      layout.candidates[kept + 1] = layout.candidates[i + 1];
      layout.links[kept + 1] = layout.links[i + 1];
      ++kept;
    }
  }
  layout.order.resize(kept);
  layout.candidates.resize(kept + 1);
  layout.links.resize(kept + 1);
  std::partial_sum(layout.candidates.begin(), layout.candidates.end(), layout.candidates.begin());
  std::partial_sum(layout.links.begin(), layout.links.end(), layout.links.begin());
  return layout;
}

struct Totals {
  double value = 0;
  std::vector<double> amount;
  std::vector<double> uses;
};

void copy_customer(const Context& context, const Layout& layout, std::size_t at, Instance& out) {
  const Problem& problem = context.problem;
  const auto owner = static_cast<std::size_t>(layout.order[at]);
  auto candidate = static_cast<std::size_t>(layout.candidates[at]);
  auto link = static_cast<std::size_t>(layout.links[at]);
  for (auto c = problem.customer_start[owner]; c < problem.customer_start[owner + 1]; ++c) {
    if (!context.can(c)) {
      continue;
    }
    out.value[candidate] = static_cast<float>(problem.value[static_cast<std::size_t>(c)]);
    if (!out.group.empty()) {
      out.group[candidate] = problem.group[static_cast<std::size_t>(c)];
    }
    out.link_start[candidate++] = static_cast<std::uint32_t>(link);
    for (const auto& use : problem.uses_of(c)) {
      if (use.amount > 0) {
        out.links[link++] = {use.row, static_cast<float>(use.amount)};
      }
    }
  }
}

void scale(const Problem& problem, const Options& options, Instance& out) {
  std::vector<Totals> parts(kParts);
  const auto candidates = static_cast<std::int64_t>(out.value.size());
  const auto links = static_cast<std::int64_t>(out.links.size());
  const auto rows = static_cast<std::size_t>(out.rows);
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    auto& sum = parts[part];
    sum.amount.assign(rows, 0);
    sum.uses.assign(rows, 0);
    for (auto c = part_begin(candidates, part, kParts); c < part_begin(candidates, part + 1, kParts); ++c) {
      sum.value += out.value[static_cast<std::size_t>(c)];
    }
    for (auto l = part_begin(links, part, kParts); l < part_begin(links, part + 1, kParts); ++l) {
      const Link& link = out.links[static_cast<std::size_t>(l)];
      sum.amount[static_cast<std::size_t>(link.row)] += link.amount;
      sum.uses[static_cast<std::size_t>(link.row)] += 1;
    }
  });
  Totals all{0, std::vector<double>(rows, 0), std::vector<double>(rows, 0)};
  for (const auto& part : parts) {
    all.value += part.value;
    for (std::size_t m = 0; m < rows; ++m) {
      all.amount[m] += part.amount[m];
      all.uses[m] += part.uses[m];
    }
  }
  out.value_scale = candidates > 0 ? all.value / static_cast<double>(candidates) : 1;
  out.row_scale.assign(rows, 1);
  out.capacity.assign(rows, 0);
  std::vector<float> inverse(rows, 1);
  for (std::size_t m = 0; m < rows; ++m) {
    out.row_scale[m] = all.uses[m] > 0 ? all.amount[m] / all.uses[m] : 1;
    out.capacity[m] = static_cast<double>(problem.capacity[m]) / out.row_scale[m];
    inverse[m] = static_cast<float>(1 / out.row_scale[m]);
  }
  const auto inverse_value = static_cast<float>(1 / out.value_scale);
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    for (auto c = part_begin(candidates, part, kParts); c < part_begin(candidates, part + 1, kParts); ++c) {
      out.value[static_cast<std::size_t>(c)] *= inverse_value;
    }
    for (auto l = part_begin(links, part, kParts); l < part_begin(links, part + 1, kParts); ++l) {
      Link& link = out.links[static_cast<std::size_t>(l)];
      link.amount *= inverse[static_cast<std::size_t>(link.row)];
    }
  });
}

}  // namespace

void run_tasks(base::Executor* executor, std::size_t count, const std::function<void(std::size_t)>& task) {
  if (executor != nullptr) {
    executor->run(count, task);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    task(i);
  }
}

base::Status validate(const Problem& problem, const Options& options) {
  if (problem.picks_max < 1) {
    return wrong("picks_max must be at least 1");
  }
  if (problem.value.size() >= std::numeric_limits<std::uint32_t>::max() ||
      problem.uses.size() >= std::numeric_limits<std::uint32_t>::max()) {
    return wrong("more than 2^32 candidates or uses: split the customers");
  }
  BECKON_TRY_STATUS(check_starts(problem.customer_start, problem.value.size(), "customer_start"));
  BECKON_TRY_STATUS(check_starts(problem.use_start, problem.uses.size(), "use_start"));
  if (problem.use_start.size() != problem.value.size() + 1) {
    return wrong("use_start needs an entry per candidate and one more");
  }
  if (!problem.group.empty() && problem.group.size() != problem.value.size()) {
    return wrong("group must be empty or have an entry per candidate");
  }
  for (std::size_t m = 0; m < problem.capacity.size(); ++m) {
    if (problem.capacity[m] < 0) {
      return wrong("the capacity of row " + std::to_string(m) + " is negative");
    }
  }
  std::vector<Sums> parts(kParts);
  run_tasks(options.executor, kParts, [&](std::size_t part) { parts[part] = check_part(problem, part); });
  Sums all;
  all.amount.assign(problem.capacity.size(), 0);
  for (const auto& part : parts) {
    if (!part.problem.empty()) {
      return wrong(part.problem);
    }
    if (!all.add(all.value, part.value)) {
      return wrong(kValuesTooLarge);
    }
    for (std::size_t m = 0; m < all.amount.size(); ++m) {
      if (!all.add(all.amount[m], part.amount[m])) {
        return wrong("the amounts of row " + std::to_string(m) + " sum to more than 2^62: use a coarser unit");
      }
    }
  }
  return base::ok_status();
}

Context make_context(const Problem& problem, const Options& options) {
  Context context{problem, options, std::vector<std::uint8_t>(problem.value.size())};
  const auto count = static_cast<std::int64_t>(problem.value.size());
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    for (auto c = part_begin(count, part, kParts); c < part_begin(count, part + 1, kParts); ++c) {
      context.usable[static_cast<std::size_t>(c)] = can_be_picked(problem, c) ? 1 : 0;
    }
  });
  return context;
}

Instance make_instance(const Context& context) {
  const Problem& problem = context.problem;
  const Options& options = context.options;
  const Layout layout = make_layout(context);
  Instance out;
  out.rows = problem.rows();
  out.picks_max = problem.picks_max;
  out.start = layout.candidates;
  out.value.resize(static_cast<std::size_t>(layout.candidates.back()));
  out.link_start.resize(out.value.size() + 1);
  out.links.resize(static_cast<std::size_t>(layout.links.back()));
  out.group.resize(problem.group.empty() || problem.picks_max == 1 ? 0 : out.value.size());
  out.link_start.back() = static_cast<std::uint32_t>(out.links.size());
  const std::int64_t customers = out.customers();
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    for (auto i = part_begin(customers, part, kParts); i < part_begin(customers, part + 1, kParts); ++i) {
      copy_customer(context, layout, static_cast<std::size_t>(i), out);
    }
  });
  scale(problem, options, out);
  return out;
}

std::vector<double> Instance::dual_out(const std::vector<double>& scaled) const {
  std::vector<double> out(scaled);
  for (std::size_t m = 0; m < out.size(); ++m) {
    out[m] *= value_scale / row_scale[m];
  }
  return out;
}

std::vector<double> Instance::dual_in(const std::vector<double>& dual) const {
  std::vector<double> out(dual);
  for (std::size_t m = 0; m < out.size(); ++m) {
    out[m] *= row_scale[m] / value_scale;
  }
  return out;
}

}  // namespace beckon::allocate
