#include "beckon/base/metrics.h"

namespace beckon::base {

std::atomic<std::int64_t>& Metrics::counter(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  auto& slot = counters_[name];
  if (!slot) {
    slot = std::make_unique<std::atomic<std::int64_t>>(0);
  }
  return *slot;
}

std::map<std::string, std::int64_t> Metrics::snapshot() const {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::int64_t> values;
  for (const auto& [name, value] : counters_) {
    values[name] = value->load();
  }
  return values;
}

std::string Metrics::to_prometheus() const {
  std::string out;
  std::string last_family;
  for (const auto& [name, value] : snapshot()) {
    const std::string family = name.substr(0, name.find('{'));
    if (family != last_family) {
      out += "# TYPE " + family + " counter\n";
      last_family = family;
    }
    out += name + " " + std::to_string(value) + "\n";
  }
  return out;
}

}  // namespace beckon::base
