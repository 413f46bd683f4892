#include "beckon/base/executor.h"

#include <numeric>

namespace beckon::base {

ThreadExecutor::ThreadExecutor(std::size_t worker_count) {
  for (std::size_t i = 1; i < worker_count; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work_loop(stop); });
  }
}

ThreadExecutor::~ThreadExecutor() {
  for (auto& thread : threads_) {
    thread.request_stop();
  }
  wake_.notify_all();
}

// Takes one task of the current batch; false when none is left. The lock is released while the task runs.
bool ThreadExecutor::work_on(std::unique_lock<std::mutex>& lock) {
  if (batch_.next >= batch_.count) {
    return false;
  }
  const std::size_t index = batch_.next++;
  const auto* task = batch_.task;
  lock.unlock();
  (*task)(index);
  lock.lock();
  if (++batch_.done == batch_.count) {
    finished_.notify_all();
  }
  return true;
}

void ThreadExecutor::work_loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return batch_.next < batch_.count; })) {
    while (work_on(lock)) {
    }
  }
}

void ThreadExecutor::run(std::size_t count, const std::function<void(std::size_t)>& task) {
  if (count == 0) {
    return;
  }
  std::unique_lock lock(mutex_);
  BECKON_CHECK(batch_.done == batch_.count);  // re-entrant or concurrent use
  batch_ = {&task, count, 0, 0};
  wake_.notify_all();
  while (work_on(lock)) {
  }
  finished_.wait(lock, [this] { return batch_.done == batch_.count; });
}

void SeededExecutor::run(std::size_t count, const std::function<void(std::size_t)>& task) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng_.shuffle(order);
  for (const std::size_t index : order) {
    task(index);
  }
}

}  // namespace beckon::base
