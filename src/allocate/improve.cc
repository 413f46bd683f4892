#include <algorithm>
#include <cmath>
#include <limits>

#include "repair.h"

namespace beckon::allocate {
namespace {

constexpr std::size_t kParts = 64;
constexpr int kRoundsMax = 6;
constexpr std::size_t kExchangeSlotsMax = 200'000;  // beyond, a few hundred exchanges are below every target gap
constexpr std::size_t kOffersMax = 400;  // blocked wishes looked at in a round, and ways to free each row

// Slot `slot` changes to `candidate` (-1: nothing), which changes the value by `gain`.
struct Change {
  std::int64_t gain;
  std::uint64_t tie;
  std::int64_t slot;
  std::int64_t candidate;
};

bool better(const Change& a, const Change& b) {
  return a.gain != b.gain ? a.gain > b.gain : a.tie != b.tie ? a.tie < b.tie : a.candidate < b.candidate;
}

std::int64_t value_of(const Problem& problem, std::int64_t candidate) {
  return candidate >= 0 ? problem.value[static_cast<std::size_t>(candidate)] : 0;
}

class Search {
 public:
  Search(Plan& plan, const Context& context, std::span<const double> dual)
      : plan_(plan), context_(context), problem_(context.problem), dual_(dual), options_(context.options) {}

  // Changes of one slot that fit as things stand. Answers whether anything changed.
  bool upgrade() {
    const auto moves = gather([&](std::int64_t slot, std::vector<Change>& out) {
      for_candidates(slot, [&](std::int64_t c) {
        const std::int64_t gain = value_of(problem_, c) - value_of(problem_, plan_.at(slot));
        if (gain > 0 && plan_.fits(c, plan_.at(slot))) {
          out.push_back({gain, mixed(options_.seed, slot), slot, c});
        }
      });
    }, std::numeric_limits<std::size_t>::max());
    bool changed = false;
    for (const auto& move : moves) {
      const bool still = value_of(problem_, move.candidate) > value_of(problem_, plan_.at(move.slot));
      if (still && plan_.allowed(move.slot, move.candidate) && plan_.fits(move.candidate, plan_.at(move.slot))) {
        plan_.set(move.slot, move.candidate);
        changed = true;
      }
    }
    return changed;
  }

  // A wish that does not fit, together with the cheapest change elsewhere that makes room for it.
  bool exchange() {
    auto wishes = gather([&](std::int64_t slot, std::vector<Change>& out) {
      for_candidates(slot, [&](std::int64_t c) {
        const std::int64_t gain = value_of(problem_, c) - value_of(problem_, plan_.at(slot));
        if (gain > 0 && !plan_.fits(c, plan_.at(slot))) {
          out.push_back({gain, mixed(options_.seed, slot), slot, c});
        }
      });
    }, kOffersMax);
    collect_releases();
    bool changed = false;
    for (const auto& wish : wishes) {
      changed |= grant(wish);
    }
    return changed;
  }

 private:
  Plan& plan_;
  const Context& context_;
  const Problem& problem_;
  std::span<const double> dual_;
  const Options& options_;
  std::vector<std::vector<Change>> releases_;  // (rows) changes that free some of the row, cheapest first

  template <class Visit>
  void for_candidates(std::int64_t slot, const Visit& visit) const {
    const auto i = static_cast<std::size_t>(plan_.customer_of(slot));
    for (auto c = problem_.customer_start[i]; c < problem_.customer_start[i + 1]; ++c) {
      if (c != plan_.at(slot) && context_.can(c) && plan_.allowed(slot, c)) {
        visit(c);
      }
    }
  }

  // The best `limit` changes that `visit` offers over all slots, best first.
  template <class Visit>
  std::vector<Change> gather(const Visit& visit, std::size_t limit) const {
    const auto slots = static_cast<std::int64_t>(plan_.pick().size());
    std::vector<std::vector<Change>> parts(kParts);
    run_tasks(options_.executor, kParts, [&](std::size_t part) {
      auto& mine = parts[part];
      for (auto s = part_begin(slots, part, kParts); s < part_begin(slots, part + 1, kParts); ++s) {
        visit(s, mine);
        if (mine.size() / 4 > limit) {
          keep_best(mine, limit);
        }
      }
    });
    std::vector<Change> all;
    for (const auto& part : parts) {
      all.insert(all.end(), part.begin(), part.end());
    }
    keep_best(all, limit);
    std::sort(all.begin(), all.end(), better);
    return all;
  }

  static void keep_best(std::vector<Change>& changes, std::size_t limit) {
    if (changes.size() > limit) {
      std::nth_element(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(limit), changes.end(), better);
      changes.resize(limit);
    }
  }

  std::int64_t amount_of(std::int64_t candidate, std::int32_t row) const {
    if (candidate >= 0) {
      for (const auto& use : problem_.uses_of(candidate)) {
        if (use.row == row) {
          return use.amount;
        }
      }
    }
    return 0;
  }

  // For every scarce row the changes that free some of it at the least loss.
  void collect_releases() {
    std::vector<std::vector<std::int64_t>> users(problem_.capacity.size());  // slots whose pick uses the row
    for (std::int64_t slot = 0; slot < static_cast<std::int64_t>(plan_.pick().size()); ++slot) {
      if (plan_.at(slot) >= 0) {
        for (const auto& use : problem_.uses_of(plan_.at(slot))) {
          if (use.amount > 0 && dual_[static_cast<std::size_t>(use.row)] > 0) {
            users[static_cast<std::size_t>(use.row)].push_back(slot);
          }
        }
      }
    }
    releases_.assign(users.size(), {});
    run_tasks(options_.executor, users.size(), [&](std::size_t m) {
      auto& mine = releases_[m];
      for (const auto slot : users[m]) {
        releases_of(slot, static_cast<std::int32_t>(m), mine);
        if (mine.size() / 4 > kOffersMax) {
          keep_best(mine, kOffersMax);
        }
      }
      keep_best(mine, kOffersMax);
      std::sort(mine.begin(), mine.end(), better);
    });
  }

  void releases_of(std::int64_t slot, std::int32_t row, std::vector<Change>& out) const {
    const std::int64_t held = plan_.at(slot);
    const std::int64_t used = amount_of(held, row);
    out.push_back({-value_of(problem_, held), mixed(options_.seed, slot), slot, -1});
    for_candidates(slot, [&](std::int64_t c) {
      if (amount_of(c, row) < used && plan_.fits(c, held)) {
        out.push_back({value_of(problem_, c) - value_of(problem_, held), mixed(options_.seed, slot), slot, c});
      }
    });
  }

  // First row that the wish would exceed.
  std::int32_t blocking_row(const Change& wish) const {
    for (const auto& use : problem_.uses_of(wish.candidate)) {
      if (use.amount > plan_.remaining(use.row) + amount_of(plan_.at(wish.slot), use.row)) {
        return use.row;
      }
    }
    return -1;
  }

  bool grant(const Change& wish) {
    const std::int64_t before = plan_.at(wish.slot);
    if (value_of(problem_, wish.candidate) - value_of(problem_, before) != wish.gain || !plan_.allowed(wish.slot, wish.candidate)) {
      return false;  // overtaken by an earlier exchange
    }
    const std::int32_t row = blocking_row(wish);
    if (row < 0) {
      plan_.set(wish.slot, wish.candidate);
      return true;
    }
    for (const auto& release : releases_[static_cast<std::size_t>(row)]) {
      if (release.gain + wish.gain <= 0) {
        return false;  // sorted: the others lose more
      }
      if (release.slot != wish.slot && try_pair(wish, release)) {
        return true;
      }
    }
    return false;
  }

  bool try_pair(const Change& wish, const Change& release) {
    const std::int64_t value = plan_.value();
    const std::int64_t held_there = plan_.at(release.slot);
    const std::int64_t held_here = plan_.at(wish.slot);
    if (held_there < 0 || (release.candidate >= 0 && !plan_.allowed(release.slot, release.candidate))) {
      return false;
    }
    plan_.set(release.slot, -1);
    plan_.set(wish.slot, -1);
    const bool here = plan_.allowed(wish.slot, wish.candidate) && plan_.fits(wish.candidate, -1);
    if (here) {
      plan_.set(wish.slot, wish.candidate);
      const bool there = release.candidate < 0 || (plan_.allowed(release.slot, release.candidate) && plan_.fits(release.candidate, -1));
      if (there && release.candidate >= 0) {
        plan_.set(release.slot, release.candidate);
      }
      if (there && plan_.value() > value) {
        return true;
      }
    }
    plan_.set(release.slot, -1);
    plan_.set(wish.slot, held_here);
    plan_.set(release.slot, held_there);
    return false;
  }
};

}  // namespace

void improve(Plan& plan, const Context& context, std::span<const double> dual, double target) {
  Search search(plan, context, dual);
  const bool small = plan.pick().size() <= kExchangeSlotsMax;
  for (int round = 0; round < kRoundsMax; ++round) {
    const bool upgraded = search.upgrade();
    if (static_cast<double>(plan.value()) >= target || !small) {
      return;
    }
    if (!search.exchange() && !upgraded) {
      return;
    }
  }
}

}  // namespace beckon::allocate
