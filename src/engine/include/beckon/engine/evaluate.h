#pragma once
// beckon evaluate: how well a network trained on a file of sequences, or on the shop's own events, finds what comes next.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "beckon/engine/engine.h"

namespace beckon::engine {

struct EvaluateRequest {
  std::string protocol = "loo";   ///< loo, gts or next-basket
  std::string split_time;         ///< of the protocols with a cut in time; empty: the 0.9 quantile of the events' times, by day
  std::string repeats;            ///< allow or filter; empty: filter for loo, else allow
  std::string config_file;        ///< TOML with [model] and [train]; empty: the shop's own, or the defaults
  std::int64_t epochs = 0;        ///< at most; 0: as configured
  std::int64_t threads = 0;       ///< 0: one for each core
  std::vector<std::uint64_t> seeds{1};
  std::string out;                ///< folder for report.json, report.html and the checkpoints
  std::string tensorboard;        ///< folder for event files; empty: none
  std::string onnx = {};          ///< file for the network of the first seed as ONNX; empty: none
  std::string split = {};         ///< folder for histories and questions as CSV, for other programs; empty: none
  bool resume = false;            ///< go on from the state that an interrupted run left in `out`
  bool quiet = false;
};

/// Lines "user item item …", oldest first, plain, gzip or zstd; ids are whole numbers. Such a file knows no times: only loo.
base::Result<base::Json> evaluate_file(const std::string& file, const EvaluateRequest& request, const std::atomic<bool>& stop);
/// The shop's events up to its clock; services are left out.
base::Result<base::Json> evaluate_shop(Context& context, const EvaluateRequest& request);

}  // namespace beckon::engine
