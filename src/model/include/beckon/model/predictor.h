#pragma once
// Vectors of customers who come back: what a network has computed for a customer's past is kept, so that one more event costs one
// step instead of the whole history. The answer is that of Model::encode on the same history, but for rounding (1e-5).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "beckon/model/model.h"

namespace beckon::model {

struct PredictorOptions {
  /// The customers asked for last are kept. A transformer keeps 8 · width bytes a layer and position (51 KB with the default network and
  /// full history), a recurrent network 4 or 8 · width a layer.
  std::size_t customers_max = 10'000;
  /// For append(): events less than this apart are one moment, and the question after each of them is asked at the next moment. Must be
  /// that of the histories the network learned from. 0: every event is a moment.
  std::int64_t moment_ms = 0;
};

/// One event that has just been.
struct NewEvent {
  std::int32_t token = 0;
  std::vector<std::int32_t> side = {};  ///< one value a side column
  std::int64_t at_ms = 0;               ///< UTC; not read for a customer whose history came without times
};

/// Thread-safe; two calls for the same customer wait for one another. The model must outlive it and must not change.
///
/// Which positions are computed again: those whose own event or request time (Sequence::request_ms, with `time_bias`) is another one,
/// and those after them. So a new event computes itself and the moment before it, whose question was open until now; asking again later
/// computes the last moment only. The whole window is computed again (a "rebuild"; default network: see docs/decisions/0012) when
/// it slides (more than `length_max` events), for positions counted from the end (`sasrec`), when the past was rewritten, and
/// when the customer is not kept any more.
class Predictor {
 public:
  explicit Predictor(const Model& model, PredictorOptions options = {});
  ~Predictor();

  /// e (width) after the last event of `history`, which must pass Model::check. Reads its last `length_max` events; its own request_ms
  /// say when each question is asked, the last one now.
  std::vector<float> advance(const std::string& customer, const Sequence& history);
  /// The same for the history so far plus `events` (oldest first; none: only the question is new), asked at request_ms. nullopt: the
  /// customer is not kept, call advance() with his history. Tokens and side values must be in range, as for Model::check.
  std::optional<std::vector<float>> append(const std::string& customer, std::span<const NewEvent> events, std::int64_t request_ms);
  /// Drops what is kept of one customer.
  void forget(const std::string& customer);

  struct Stats {
    std::size_t customers = 0;      ///< kept now
    std::uint64_t unchanged = 0;    ///< calls that found the answer ready
    std::uint64_t steps = 0;        ///< calls that computed a part of the window
    std::uint64_t rebuilds = 0;     ///< calls that computed the whole window
    std::uint64_t evicted = 0;      ///< customers dropped for others
  };
  Stats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace beckon::model
