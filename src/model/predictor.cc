#include "beckon/model/predictor.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <unordered_map>

#include "beckon/base/check.h"
#include "cache_pool.h"

namespace beckon::model {
namespace {

// What is kept of one customer. `window`: the events that `trunk` has seen, at most length_max.
struct Kept {
  std::mutex mutex;
  Sequence window;
  bool no_events = false;  // the window is the position that stands for an empty history
  inner::TrunkState trunk;
  std::vector<float> vector;
};

bool reads_times(const ModelOptions& options) {
  return options.arch == Arch::kLigr && options.time_bias;
}

// The last length_max events, with only what a forward pass reads.
Sequence window_of(const ModelOptions& options, const Sequence& history) {
  const std::size_t columns = options.side_sizes.size();
  if (history.length() == 0) {
    return {{0}, std::vector<std::int32_t>(columns, 0), {}, {}};
  }
  const std::size_t begin = history.length() - std::min(history.length(), static_cast<std::size_t>(options.length_max));
  const auto last = [&](const auto& from, std::size_t per_position) {
    return std::remove_cvref_t<decltype(from)>(from.begin() + static_cast<std::ptrdiff_t>(std::min(begin * per_position, from.size())), from.end());
  };
  Sequence out{last(history.token, 1), last(history.side, columns), {}, {}};
  if (reads_times(options)) {
    out.at_ms = last(history.at_ms, 1);
    out.request_ms = last(history.request_ms, 1);
  }
  return out;
}

// How many positions at the front are the same in both.
std::size_t common_positions(const Sequence& a, const Sequence& b, std::size_t columns) {
  if (a.at_ms.empty() != b.at_ms.empty()) {
    return 0;
  }
  const std::size_t count = std::min(a.length(), b.length());
  for (std::size_t i = 0; i < count; ++i) {
    const auto side = static_cast<std::ptrdiff_t>(i * columns);
    const bool same = a.token[i] == b.token[i] && std::equal(a.side.begin() + side, a.side.begin() + side + static_cast<std::ptrdiff_t>(columns), b.side.begin() + side) &&
                      (a.at_ms.empty() || (a.at_ms[i] == b.at_ms[i] && a.request_ms[i] == b.request_ms[i]));
    if (!same) {
      return i;
    }
  }
  return count;
}

// Adds the events and says again when the questions of the last moment are asked: at the next moment, or now.
void extend(Sequence& window, std::span<const NewEvent> events, std::int64_t request_ms, std::int64_t moment_ms) {
  const bool timed = !window.at_ms.empty() || (window.length() == 0 && !events.empty());
  const auto same_moment = [&](std::size_t i) { return window.at_ms[i + 1] - window.at_ms[i] < moment_ms; };
  std::size_t open = window.length();
  for (bool inside = true; timed && inside && open > 0;) {
    --open;
    inside = open > 0 && same_moment(open - 1);
  }
  for (const NewEvent& event : events) {
    window.token.push_back(event.token);
    window.side.insert(window.side.end(), event.side.begin(), event.side.end());
    if (timed) {
      window.at_ms.push_back(event.at_ms);
      window.request_ms.push_back(request_ms);
    }
  }
  for (std::size_t i = window.at_ms.size(); i-- > open;) {
    const bool last = i + 1 == window.at_ms.size();
    window.request_ms[i] = last ? request_ms : same_moment(i) ? window.request_ms[i + 1] : window.at_ms[i + 1];
  }
}

}  // namespace

class Predictor::Impl {
 public:
  Impl(const Model& model, const PredictorOptions& options) : model_(model), options_(options) {
    BECKON_CHECK(options.customers_max > 0);
  }

  // Moves the customer to the front; makes room for him when he is new. nullptr: he is not kept, and was not wanted to be.
  std::shared_ptr<Kept> find(const std::string& customer, bool make) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_name_.find(customer);
    if (found != by_name_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().kept;
    }
    if (!make) {
      return nullptr;
    }
    if (order_.size() == options_.customers_max) {
      by_name_.erase(order_.back().customer);
      order_.pop_back();  // a call that is still at work on him holds its own reference
      ++evicted_;
    }
    order_.push_front({customer, std::make_shared<Kept>()});
    by_name_.emplace(customer, order_.begin());
    return order_.front().kept;
  }

  void forget(const std::string& customer) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_name_.find(customer); found != by_name_.end()) {
      order_.erase(found->second);
      by_name_.erase(found);
    }
  }

  // kept.mutex is held.
  void move_to(Kept& kept, Sequence window) {
    const auto& options = model_.options();
    const std::size_t same = common_positions(kept.window, window, options.side_sizes.size());
    if (!kept.vector.empty() && same == window.length() && same == kept.window.length()) {
      ++unchanged_;
      return;
    }
    const bool from_the_end = model_.layout().position.size() > 0;
    kept.trunk.rewind(from_the_end ? 0 : std::min(same, window.length() - 1));
    const std::size_t before = kept.trunk.positions;
    ++(before == 0 ? rebuilds_ : steps_);
    inner::PackedBatch batch;
    inner::append(options, window, {0, before, window.length()}, batch);
    auto cache = pool_.take();
    inner::trunk_advance({inner::network_of(model_), &batch, {}, false, true}, {window.at_ms, window.request_ms}, kept.trunk, *cache);
    kept.vector.assign(cache->result.begin(), cache->result.end());
    pool_.give(std::move(cache));
    kept.window = std::move(window);
  }

  std::vector<float> advance(const std::string& customer, const Sequence& history) {
    const auto kept = find(customer, true);
    const std::scoped_lock lock(kept->mutex);
    move_to(*kept, window_of(model_.options(), history));
    kept->no_events = history.length() == 0;
    return kept->vector;
  }

  std::optional<std::vector<float>> append(const std::string& customer, std::span<const NewEvent> events, std::int64_t request_ms) {
    const auto kept = find(customer, false);
    if (kept == nullptr) {
      return std::nullopt;
    }
    const std::scoped_lock lock(kept->mutex);
    if (kept->vector.empty()) {
      return std::nullopt;  // another call has made room for him, but not computed anything yet
    }
    Sequence history = kept->no_events ? Sequence{} : kept->window;
    extend(history, events, request_ms, options_.moment_ms);
    move_to(*kept, window_of(model_.options(), history));
    kept->no_events = history.length() == 0;
    return kept->vector;
  }

  Stats stats() const {
    const std::scoped_lock lock(mutex_);
    return {order_.size(), unchanged_, steps_, rebuilds_, evicted_};
  }

 private:
  struct Entry {
    std::string customer;
    std::shared_ptr<Kept> kept;
  };
  const Model& model_;
  PredictorOptions options_;
  inner::CachePool pool_;
  mutable std::mutex mutex_;  // of what follows
  std::list<Entry> order_;    // asked for last first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;
  std::uint64_t evicted_ = 0;
  std::atomic<std::uint64_t> unchanged_ = 0, steps_ = 0, rebuilds_ = 0;
};

Predictor::Predictor(const Model& model, PredictorOptions options) : impl_(std::make_unique<Impl>(model, options)) {}
Predictor::~Predictor() = default;

std::vector<float> Predictor::advance(const std::string& customer, const Sequence& history) {
  return impl_->advance(customer, history);
}

std::optional<std::vector<float>> Predictor::append(const std::string& customer, std::span<const NewEvent> events, std::int64_t request_ms) {
  return impl_->append(customer, events, request_ms);
}

void Predictor::forget(const std::string& customer) { impl_->forget(customer); }

Predictor::Stats Predictor::stats() const { return impl_->stats(); }

}  // namespace beckon::model
