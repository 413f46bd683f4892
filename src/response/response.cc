#include "beckon/response/response.h"

#include "beckon/stats/stats.h"

namespace beckon::response {
namespace {

std::array<double, kEvidence> as_row(const Evidence& e) {
  return {e.model, e.purchase, e.own, e.recency, e.seen, e.markov, e.popular};
}

}  // namespace

double ItemResponse::predict(const Evidence& evidence) const {
  double logit = intercept;
  const auto row = as_row(evidence);
  for (std::size_t i = 0; i < kEvidence; ++i) {
    logit += coefficients[i] * row[i];
  }
  return stats::sigmoid(logit);
}

ItemResponse ItemResponse::counting() {
  ItemResponse out;
  out.intercept = -5;
  out.coefficients = {0, 0, 1.5, 0.3, 1.0, 0.5, 0.2};  // in the order of as_row: signs and sizes of what fits usually find
  return out;
}

void ItemResponse::Rows::add(const Evidence& evidence, bool did_buy) {
  const auto row = as_row(evidence);
  x.insert(x.end(), row.begin(), row.end());
  bought.push_back(did_buy ? 1 : 0);
}

base::Result<ItemResponse> ItemResponse::fit(const Rows& rows) {
  const stats::LogisticData data{rows.x, rows.bought, kEvidence, {}};
  BECKON_TRY(const auto fitted, stats::fit_logistic(data));
  ItemResponse out;
  out.coefficients = fitted.coefficients;
  out.intercept = fitted.intercept;
  return out;
}

double click_ratio(std::int64_t clicks, double messages, double average, double weight) {
  if (average <= 0) {
    return 1;
  }
  const double own = (static_cast<double>(clicks) + average * weight) / (messages + weight);
  return own / average;
}

}  // namespace beckon::response
