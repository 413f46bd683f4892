#pragma once
// Tasks on threads, and a seeded single-threaded twin that runs the same tasks in a random order.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"

namespace beckon::base {

/// Tasks must not throw and must not wait for one another.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::size_t worker_count() const = 0;
  /// Runs task(0) … task(count-1), each once, in any order and on any worker; returns when all are done. The caller's
  /// thread works too. Not re-entrant: a task must not call run().
  virtual void run(std::size_t count, const std::function<void(std::size_t)>& task) = 0;

  /// Deterministic reduction: task(i) may run anywhere, the results are folded in index order, so sums of doubles have the
  /// same bits for any number of workers.
  template <class T>
  T reduce(std::size_t count,
           T start,
           const std::function<T(std::size_t)>& task,
           const std::function<T(T, T)>& fold) {
    std::vector<T> parts(count);
    run(count, [&](std::size_t i) { parts[i] = task(i); });
    for (auto& part : parts) {
      start = fold(std::move(start), std::move(part));
    }
    return start;
  }
};

/// worker_count - 1 threads plus the caller. Idle workers sleep; they never spin.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(std::size_t worker_count);
  ~ThreadExecutor() override;
  std::size_t worker_count() const override { return threads_.size() + 1; }
  void run(std::size_t count, const std::function<void(std::size_t)>& task) override;

 private:
  struct Batch {
    const std::function<void(std::size_t)>* task = nullptr;
    std::size_t count = 0;
    std::size_t next = 0;
    std::size_t done = 0;
  };
  void work_loop(const std::stop_token& stop);
  bool work_on(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable finished_;
  Batch batch_;
  std::vector<std::jthread> threads_;
};

/// Runs everything in the caller's thread, in an order drawn from the seed: hidden order dependence shows up in tests.
class SeededExecutor final : public Executor {
 public:
  explicit SeededExecutor(std::uint64_t seed) : rng_(seed) {}
  std::size_t worker_count() const override { return 1; }
  void run(std::size_t count, const std::function<void(std::size_t)>& task) override;

 private:
  Rng rng_;
};

}  // namespace beckon::base
