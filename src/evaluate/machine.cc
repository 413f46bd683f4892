#include "beckon/evaluate/machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/tensor/tensor.h"

namespace beckon::evaluate {
namespace {

// "MemAvailable:   123 kB" of a file under /proc, in bytes; 0 when it is not there.
std::int64_t proc_bytes(const char* file, const std::string& key) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with(key + ":")) {
      return std::atoll(line.c_str() + key.size() + 1) * 1024;
    }
  }
  return 0;
}

// A file that holds one number; -1 when it is absent or says "max".
std::int64_t number_in(const char* file) {
  std::ifstream in(file);
  std::int64_t value = -1;
  return in >> value ? value : -1;
}

}  // namespace

double gemm_gflops(base::Executor& executor, const Product& product) {
  const auto [m, n, k, precision] = product;
  const std::size_t workers = executor.worker_count();
  std::vector<tensor::Buffer> a(workers), b(workers), c(workers);
  for (std::size_t w = 0; w < workers; ++w) {
    a[w].resize(m * k);
    b[w].resize(k * n);
    c[w].resize(m * n);
    std::ranges::fill(a[w].span(), .5F);
    std::ranges::fill(b[w].span(), .25F);
  }
  const double work = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const int repeats = static_cast<int>(2e9 / work) + 1;
  const base::SystemClock clock;
  double best = 0;
  for (int round = 0; round < 8; ++round) {
    const std::int64_t started_ms = clock.monotonic_ms();
    executor.run(workers, [&](std::size_t w) {
      for (int i = 0; i < repeats; ++i) {
        tensor::gemm(tensor::view(a[w].span(), m, k), tensor::view(b[w].span(), k, n), tensor::mutable_view(c[w].span(), m, n),
                     {tensor::Into::kOverwrite, precision});
      }
    });
    const double seconds = static_cast<double>(std::max<std::int64_t>(1, clock.monotonic_ms() - started_ms)) / 1000;
    best = std::max(best, work * repeats * static_cast<double>(workers) / seconds / 1e9);
  }
  return best;
}

double peak_rss_mb() {
  if (const std::int64_t bytes = proc_bytes("/proc/self/status", "VmHWM"); bytes > 0) {
    return static_cast<double>(bytes) / (1 << 20);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void reset_peak_rss() {
  std::ofstream("/proc/self/clear_refs") << "5";  // see proc(5); refused on some systems, then the peak is the process's
}

std::int64_t memory_available_bytes() {
  std::int64_t free = proc_bytes("/proc/meminfo", "MemAvailable");
  const std::int64_t limit = number_in("/sys/fs/cgroup/memory.max");
  const std::int64_t used = number_in("/sys/fs/cgroup/memory.current");
  if (limit > 0 && used >= 0) {
    free = std::min(free, std::max<std::int64_t>(1, limit - used));
  }
  return free;
}

}  // namespace beckon::evaluate
