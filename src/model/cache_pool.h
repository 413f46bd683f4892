#pragma once
// Work spaces for passes that run at the same time.

#include <mutex>

#include "trunk.h"

namespace beckon::model::inner {

/// Work spaces that tasks borrow: allocation would cost as much as the arithmetic. Thread-safe.
class CachePool {
 public:
  std::unique_ptr<TrunkCache> take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      return std::make_unique<TrunkCache>();
    }
    auto cache = std::move(free_.back());
    free_.pop_back();
    return cache;
  }
  void give(std::unique_ptr<TrunkCache> cache) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(cache));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<TrunkCache>> free_;
};

}  // namespace beckon::model::inner
