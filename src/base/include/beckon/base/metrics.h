#pragma once
// Counters by name, for degraded modes, rejects and rates. Text in Prometheus exposition format 0.0.4.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace beckon::base {

/// Thread-safe. Counters live as long as the registry.
class Metrics {
 public:
  /// `name` ends in _total and carries its labels, e.g. `beckon_degraded_total{mode="model_missing"}`.
  std::atomic<std::int64_t>& counter(const std::string& name);
  std::map<std::string, std::int64_t> snapshot() const;
  std::string to_prometheus() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<std::atomic<std::int64_t>>> counters_;
};

}  // namespace beckon::base
