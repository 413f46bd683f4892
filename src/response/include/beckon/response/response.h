#pragma once
// What a customer will do: probability of buying each item within the horizon, and how readily he clicks. Learned where there is data,
// shrunk to what is stated where there is none.
//
//   response.h  ItemResponse (calibrated purchase probability per item), click ratios
//   scorer.h    Scorer: model + floors + ItemResponse over whole populations
//   candidate_response.h  purchase and click of (customer, item, offer, channel, hour), learned and calibrated

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/features/floors.h"

namespace beckon::response {

/// Evidence about one (customer, item), each on a scale where more is more.
struct Evidence {
  double model = 0;       ///< log-probability of the item as next, from the behaviour model; 0 without one
  double purchase = 0;    ///< log-odds of any purchase within the horizon, from the model's purchase head
  double own = 0;         ///< log(1 + decayed count of his own purchases)
  double recency = 0;     ///< -log(1 + days since his last own purchase), 0 when he never bought it
  double seen = 0;        ///< 1 when it is one of his own items
  double markov = 0;      ///< log(1 + chain score)
  double popular = 0;     ///< log(1 + count of the last week)
};
constexpr std::size_t kEvidence = 7;

/// P(buys the item within the horizon | evidence): regularised logistic regression on a period after the model's training data.
struct ItemResponse {
  std::vector<double> coefficients = std::vector<double>(kEvidence, 0.0);
  double intercept = -4;
  double horizon_days = 7;
  double predict(const Evidence& evidence) const;
  /// Without a model and without data to learn from: own and recent items first, then popular ones. Modest probabilities.
  static ItemResponse counting();

  struct Rows {
    std::vector<double> x;               ///< (n, kEvidence)
    std::vector<std::uint8_t> bought;
    void add(const Evidence& evidence, bool did_buy);
  };
  static base::Result<ItemResponse> fit(const Rows& rows);
};

/// Click probability of this customer over the average one: his own record, shrunk towards 1 by `weight` messages' worth of belief. A message
/// whose click may still come counts in `messages` as the share of clicks that can have come by now, here and in `average`.
double click_ratio(std::int64_t clicks, double messages, double average, double weight = 20);

}  // namespace beckon::response
