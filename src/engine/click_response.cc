#include "click_response.h"

#include <algorithm>

#include "heads.h"

namespace beckon::engine {
namespace {

const response::CandidateResponse* click_head(const TrainedModel* trained) {
  const bool known = trained != nullptr && trained->candidates.has_value() && trained->candidates->knows(response::kClicks);
  return known ? &*trained->candidates : nullptr;
}

std::vector<std::uint16_t> categories(const features::Dataset& data, const features::ItemFacts& facts) {
  std::vector<std::uint16_t> out(static_cast<std::size_t>(data.vocabulary.size()), 0);
  for (std::int32_t token = 1; token < data.vocabulary.size(); ++token) {
    out[static_cast<std::size_t>(token)] = facts.codes(data.vocabulary.item(token)).top_category;
  }
  return out;
}

// Only where the head has not learned from the message: its answer to what it knows would look better than it is.
std::vector<float> head_answers(const Context& context, const ClickLesson& lesson) {
  const auto* head = click_head(lesson.trained);
  if (head == nullptr) {
    return {};
  }
  std::vector<float> out(lesson.messages.size(), -1);
  std::vector<response::Ask> asks;
  std::vector<std::size_t> place;
  for (std::size_t i = 0; i < lesson.messages.size(); ++i) {
    const auto& message = lesson.messages[i];
    if (message.at > lesson.trained->learned_until) {
      asks.push_back({&lesson.data->histories[message.history], message.at, message.token, message.approach});
      place.push_back(i);
    }
  }
  const auto answers = response::probabilities(*head, {&*lesson.trained->weights, response::kClicks}, asks, *context.executor);
  for (std::size_t k = 0; k < place.size(); ++k) {
    out[place[k]] = answers[k];
  }
  return out;
}

}  // namespace

base::Result<response::MessageResponse> learn_clicks(const Context& context, const ClickLesson& lesson) {
  const auto category_of_token = categories(*lesson.data, *lesson.facts);
  const auto head = head_answers(context, lesson);
  return response::MessageResponse::fit({lesson.data, lesson.messages, category_of_token, head, &context.config.shop, context.executor.get()});
}

base::Json clicks_json(const response::MessageResponse& clicks) {
  base::Json learners = base::Json::array();
  for (const auto& figure : clicks.figures()) {
    learners.push_back({{"name", figure.name}, {"messages", figure.messages}, {"log_loss", figure.log_loss}, {"gain", figure.gain},
                        {"gain_low", figure.gain_low}, {"gain_high", figure.gain_high}});
  }
  const std::vector<double> predicted(clicks.predicted().begin(), clicks.predicted().end());
  const std::vector<std::uint8_t> outcome(clicks.outcome().begin(), clicks.outcome().end());
  return {{"chosen", clicks.chosen()}, {"messages", static_cast<std::int64_t>(outcome.size())},
          {"clicks", std::count(outcome.begin(), outcome.end(), 1)}, {"learners", learners},
          {"bins", outcome.empty() ? base::Json::array() : reliability_json(predicted, outcome)}};
}

base::Status add_clicks(const Context& context, const ScoredPeople& people, PlanMaterial& material) {
  BECKON_TRY(const auto messages, sent_messages(context, material.data));
  if (messages.empty()) {
    return base::ok_status();  // what the shop states is what there is
  }
  const TrainedModel* trained = material.trained.has_value() ? &*material.trained : nullptr;
  BECKON_TRY(const auto clicks, learn_clicks(context, {&material.data, &material.facts, trained, messages}));
  const auto* head = clicks.uses_head() ? click_head(trained) : nullptr;
  const base::Instant now = context.clock->now();
  const int local_hour = context.config.shop.market(material.campaign.market).time_zone().to_local(now).hour;
  context.executor->run(people.histories.size(), [&](std::size_t i) {
    decide::Person& person = material.input.persons[people.persons[i]];
    const int wished = decide::message_hour(material.campaign, person.usual_hour);
    const int hour = wished < 0 ? local_hour : wished;  // "any hour" leaves about now; lessons always know the hour
    std::vector<response::Ask> asks;
    for (const auto& item : person.items) {
      for (const auto& offer : material.campaign.offers) {
        for (const auto& permit : person.permits) {
          const response::Approach approach{offer.kind, offer.depth_bp, features::message_channel_of(permit.channel()),
                                            hour, true};
          asks.push_back({people.histories[i], now, material.token_of_item[static_cast<std::size_t>(item.item)], approach});
        }
      }
    }
    base::SeededExecutor here(1);  // persons are already spread over the workers
    const auto network = head == nullptr ? std::vector<float>() : response::probabilities(*head, {&*trained->weights, response::kClicks}, asks, here);
    const auto chances = clicks.clicks(asks, network);
    const std::size_t each = material.campaign.offers.size() * person.permits.size();
    for (std::size_t k = 0; k < person.items.size(); ++k) {
      person.items[k].clicks.assign(chances.begin() + static_cast<std::ptrdiff_t>(k * each), chances.begin() + static_cast<std::ptrdiff_t>((k + 1) * each));
    }
  });
  return base::ok_status();
}

}  // namespace beckon::engine
