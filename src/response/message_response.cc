#include "beckon/response/message_response.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/rng.h"
#include "beckon/stats/stats.h"
#include "message_columns.h"

namespace beckon::response {
namespace {

constexpr std::int64_t kBelow = 50;          // messages' worth of the level above
constexpr std::size_t kFolds = 5;
constexpr std::int64_t kClicksMin = 50;      // fewer teach no regression anything that rates do not say
constexpr std::int64_t kIsotonicClicksMin = 1'000;
constexpr std::size_t kMessagesMax = 1'000'000;

using Probabilities = std::vector<double>;

// The lesson as a matrix, with folds of customers and rates that were taught by the other folds.
struct Work {
  std::vector<const SentMessage*> messages;
  std::vector<float> head;                ///< beside messages; empty: none
  std::vector<std::uint32_t> fold;
  std::vector<float> outcome;
  Probabilities rate;                     ///< of the message's cell, cross-fitted
  uplift::Matrix matrix;
};

ClickRates::Cell cell_of(const features::History& history, base::Instant at, const Approach& approach, std::uint16_t category) {
  return {approach.offer, category, segment_of(history, at)};
}

std::uint16_t category_at(std::span<const std::uint16_t> categories, std::int32_t token) {
  return token > 0 && static_cast<std::size_t>(token) < categories.size() ? categories[static_cast<std::size_t>(token)] : std::uint16_t{0};
}

ClickRates::Cell cell_of(const MessageLesson& lesson, const SentMessage& message) {
  return cell_of(lesson.data->histories[message.history], message.at, message.approach, category_at(lesson.category_of_token, message.token));
}

bool is_ripe(const MessageLesson& lesson, const SentMessage& message) {
  return message.at.plus_ms(lesson.period.horizon_ms) <= lesson.period.as_of;
}

bool is_clicked(const MessageLesson& lesson, const SentMessage& message) {
  return message.clicked_ms > 0 && message.clicked_ms <= message.at.ms + lesson.period.horizon_ms;
}

// Newest messages first in line when there are too many.
Work chosen_messages(const MessageLesson& lesson) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < lesson.messages.size(); ++i) {
    if (is_ripe(lesson, lesson.messages[i])) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lesson.messages[a].at > lesson.messages[b].at; });
  order.resize(std::min(order.size(), kMessagesMax));
  Work work;
  for (const std::size_t i : order) {
    const SentMessage& message = lesson.messages[i];
    work.messages.push_back(&message);
    work.fold.push_back(static_cast<std::uint32_t>(base::stable_hash(lesson.data->histories[message.history].customer.bytes(), 0x636c69636bULL) % kFolds));
    work.outcome.push_back(is_clicked(lesson, message) ? 1.0F : 0.0F);
    if (!lesson.head.empty()) {
      work.head.push_back(lesson.head[i]);
    }
  }
  return work;
}

void add_rates(const MessageLesson& lesson, Work& work) {
  work.rate.resize(work.messages.size());
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    ClickRates others(*lesson.shop);
    for (std::size_t i = 0; i < work.messages.size(); ++i) {
      if (work.fold[i] != fold) {
        others.add(cell_of(lesson, *work.messages[i]), work.outcome[i] > 0.5F);
      }
    }
    for (std::size_t i = 0; i < work.messages.size(); ++i) {
      if (work.fold[i] == fold) {
        work.rate[i] = others.rate(cell_of(lesson, *work.messages[i]));
      }
    }
  }
}

void add_matrix(const MessageLesson& lesson, Work& work) {
  work.matrix.names = message_column_names();
  work.matrix.columns = work.matrix.names.size();
  work.matrix.rows = work.messages.size();
  for (std::size_t i = 0; i < work.messages.size(); ++i) {
    const SentMessage& message = *work.messages[i];
    add_message_columns({&lesson.data->histories[message.history], message.at, message.token, message.approach, work.rate[i],
                         work.head.empty() ? -1.0 : static_cast<double>(work.head[i])},
                        work.matrix.values);
  }
}

base::Result<Probabilities> cross_fitted(const uplift::Base& base, const Work& work, base::Executor* executor) {
  Probabilities out(work.messages.size());
  std::vector<base::Status> problems(kFolds, base::ok_status());
  const auto fit_fold = [&](std::size_t fold) {
    std::vector<std::uint32_t> learn;
    std::vector<std::uint32_t> ask;
    std::vector<float> outcome;
    for (std::uint32_t i = 0; i < work.messages.size(); ++i) {
      (work.fold[i] == fold ? ask : learn).push_back(i);
      if (work.fold[i] != fold) {
        outcome.push_back(work.outcome[i]);
      }
    }
    if (learn.empty() || ask.empty()) {
      return;
    }
    const auto fitted = base.fit({&work.matrix, learn, outcome, {}, uplift::Response::kProbability, fold + 1, nullptr});
    if (!fitted.ok()) {
      problems[fold] = fitted.error();
      return;
    }
    std::vector<float> answers(ask.size());
    (*fitted)->predict(work.matrix, ask, answers);
    for (std::size_t k = 0; k < ask.size(); ++k) {
      out[ask[k]] = static_cast<double>(answers[k]);
    }
  };
  if (executor != nullptr) {
    executor->run(kFolds, fit_fold);
  } else {
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      fit_fold(fold);
    }
  }
  for (const auto& problem : problems) {
    BECKON_TRY_STATUS(problem);
  }
  return out;
}

double loss_of(double p, float outcome) {
  const double inside = std::clamp(p, 1e-12, 1 - 1e-12);
  return outcome > 0.5F ? -std::log(inside) : -std::log(1 - inside);
}

struct Compared {
  const Probabilities* mine = nullptr;
  const Probabilities* best = nullptr;
  bool answered_only = false;  ///< where mine is not negative
};

// Mean gain a message with its interval; the sum over a customer's messages is one draw (ratio of means, delta method).
LearnerFigure figure_of(const std::string& name, const Work& work, const Compared& compared) {
  const Probabilities& mine = *compared.mine;
  std::map<std::size_t, std::pair<double, double>> by_customer;  // gain, messages
  LearnerFigure out;
  out.name = name;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (compared.answered_only && mine[i] < 0) {
      continue;
    }
    const double own = loss_of(mine[i], work.outcome[i]);
    auto& [gain, messages] = by_customer[work.messages[i]->history];
    gain += loss_of((*compared.best)[i], work.outcome[i]) - own;
    messages += 1;
    out.log_loss += own;
    ++out.messages;
  }
  out.log_loss /= static_cast<double>(std::max<std::int64_t>(1, out.messages));
  std::vector<double> messages;
  std::vector<double> gains;
  for (const auto& [customer, both] : by_customer) {
    gains.push_back(both.first);
    messages.push_back(both.second);
  }
  if (const auto interval = stats::ratio(stats::PairMoments::of(messages, gains)); interval.ok()) {
    out.gain = interval->estimate;
    out.gain_low = interval->low;
    out.gain_high = interval->high;
  }
  return out;
}

}  // namespace

void ClickRates::add(const Cell& cell, bool clicked) {
  const auto offer = static_cast<std::uint32_t>(cell.offer) + 1;
  const std::uint32_t category = cell.category + 1U;
  const std::uint32_t segment = cell.segment + 1U;
  for (const auto& key : {std::array{0U, 0U, 0U}, std::array{offer, 0U, 0U}, std::array{offer, category, 0U}, std::array{offer, category, segment}}) {
    Count& count = counts_[key];
    ++count.messages;
    count.clicks += clicked ? 1 : 0;
  }
}

double ClickRates::rate(const Cell& cell) const {
  const auto offer = static_cast<std::uint32_t>(cell.offer) + 1;
  const catalog::ResponsePrior& stated = shop_->prior(std::string(catalog::to_text(cell.offer)));
  double rate = stated.click_probability;
  auto weight = static_cast<double>(std::max<std::int64_t>(1, stated.weight));
  for (const auto& key : {std::array{0U, 0U, 0U}, std::array{offer, 0U, 0U}, std::array{offer, cell.category + 1U, 0U},
                          std::array{offer, cell.category + 1U, cell.segment + 1U}}) {
    const auto found = counts_.find(key);
    if (found != counts_.end()) {
      rate = (static_cast<double>(found->second.clicks) + weight * rate) / (static_cast<double>(found->second.messages) + weight);
    }
    weight = static_cast<double>(kBelow);
  }
  return rate;
}

std::uint8_t segment_of(const features::History& history, base::Instant as_of) {
  const auto purchases = std::count_if(history.steps.begin(), history.steps.end(), [&](const auto& step) {
    return step.at_ms < as_of.ms && step.type == features::StepType::kPurchase;
  });
  return purchases == 0 ? 0 : purchases <= 3 ? 1 : purchases <= 10 ? 2 : 3;
}

base::Result<MessageResponse> MessageResponse::fit(const MessageLesson& lesson) {
  MessageResponse out(*lesson.shop);
  out.category_of_token_.assign(lesson.category_of_token.begin(), lesson.category_of_token.end());
  Work work = chosen_messages(lesson);
  add_rates(lesson, work);
  for (std::size_t i = 0; i < work.messages.size(); ++i) {
    out.rates_.add(cell_of(lesson, *work.messages[i]), work.outcome[i] > 0.5F);
    out.outcome_.push_back(work.outcome[i] > 0.5F ? 1 : 0);
  }
  Probabilities own(work.rate.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    own[i] = own_rate(lesson.data->histories[work.messages[i]->history], work.messages[i]->at, work.rate[i]);
  }
  Probabilities best = own;
  out.uses_head_ = !lesson.head.empty();
  if (!work.messages.empty()) {
    out.figures_.push_back(figure_of("rates", work, {&own, &own}));
  }
  const auto clicks = std::count(out.outcome_.begin(), out.outcome_.end(), 1);
  if (clicks >= kClicksMin && static_cast<std::int64_t>(out.outcome_.size()) - clicks >= kClicksMin) {
    add_matrix(lesson, work);
    std::vector<std::uint32_t> rows(work.messages.size());
    std::iota(rows.begin(), rows.end(), 0U);
    const std::array<std::pair<const char*, std::unique_ptr<uplift::Base>>, 2> bases{
        std::pair{"linear", uplift::linear()}, std::pair{"trees", uplift::boosted_trees()}};
    for (const auto& [name, base] : bases) {
      BECKON_TRY(const Probabilities mine, cross_fitted(*base, work, lesson.executor));
      out.figures_.push_back(figure_of(name, work, {&mine, &best}));
      if (out.figures_.back().gain_low > 0) {  // surely better than the simpler one
        BECKON_TRY(auto fitted, base->fit({&work.matrix, rows, work.outcome, {}, uplift::Response::kProbability, 1, nullptr}));
        out.learner_ = std::move(fitted);
        out.chosen_ = name;
        best = mine;
      }
    }
  }
  if (!work.head.empty()) {
    const Probabilities network(work.head.begin(), work.head.end());
    out.figures_.push_back(figure_of("network", work, {&network, &best, true}));
    if (out.figures_.back().gain_low > 0) {
      out.chosen_ = "network";
      out.learner_.reset();
    }
  }
  if (out.learner_ != nullptr) {
    BECKON_TRY(out.platt_, stats::PlattCalibration::fit(best, out.outcome_));
    if (clicks >= kIsotonicClicksMin) {
      BECKON_TRY(auto isotonic, stats::IsotonicCalibration::fit(best, out.outcome_));
      out.isotonic_ = std::move(isotonic);
    }
  }
  for (const double p : best) {
    out.predicted_.push_back(out.learner_ == nullptr ? p : out.calibrated(p));
  }
  return out;
}

double MessageResponse::calibrated(double p) const { return isotonic_.has_value() ? isotonic_->apply(p) : platt_.apply(p); }

std::vector<float> MessageResponse::clicks(std::span<const Ask> asks, std::span<const float> head) const {
  BECKON_CHECK(head.empty() || head.size() == asks.size());
  if (chosen_ == "network" && !head.empty()) {
    return {head.begin(), head.end()};
  }
  std::vector<float> out(asks.size());
  uplift::Matrix matrix{asks.size(), message_column_names().size(), {}, {}};
  for (std::size_t i = 0; i < asks.size(); ++i) {
    const Ask& ask = asks[i];
    const double rate = rates_.rate(cell_of(*ask.history, ask.as_of, ask.approach, category_at(category_of_token_, ask.token)));
    out[i] = static_cast<float>(own_rate(*ask.history, ask.as_of, rate));
    if (learner_ != nullptr) {
      add_message_columns({ask.history, ask.as_of, ask.token, ask.approach, rate, head.empty() || !uses_head_ ? -1.0 : static_cast<double>(head[i])},
                          matrix.values);
    }
  }
  if (learner_ != nullptr) {
    std::vector<std::uint32_t> rows(asks.size());
    std::iota(rows.begin(), rows.end(), 0U);
    learner_->predict(matrix, rows, out);
    for (float& p : out) {
      p = static_cast<float>(calibrated(static_cast<double>(p)));
    }
  }
  return out;
}

}  // namespace beckon::response
