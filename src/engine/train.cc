#include <algorithm>

#include "beckon/model/onnx.h"
#include "click_response.h"
#include "pretrain.h"

namespace beckon::engine {
namespace {

constexpr std::int64_t kStepsMin = 500;  // fewer cannot teach anything about time

base::Json training_json(const model::TrainReport& report) {
  base::Json epochs = base::Json::array();
  double seconds = 0;
  double rate = 0;
  for (const auto& epoch : report.epochs) {
    seconds += epoch.seconds;
    rate = std::max(rate, epoch.positions_per_second);
    epochs.push_back({{"epoch", epoch.epoch}, {"loss", epoch.train_loss}, {"validation_ndcg10", epoch.validation_ndcg10},
                      {"seconds", epoch.seconds}});
  }
  return {{"epochs", epochs}, {"best_epoch", report.best_epoch}, {"stopped_early", report.stopped_early},
          {"seconds", seconds}, {"positions_per_second", rate}};
}

base::Status check_request(const TrainRequest& request) {
  if (request.pretrain && !request.from.empty()) {
    return base::invalid_argument("--pretrain starts from the beginning and --from goes on from a checkpoint: give one of them");
  }
  if (!request.with_shops.empty() && !request.pretrain) {
    return base::invalid_argument("--with-shop adds its customers to a pre-training: give --pretrain too");
  }
  return base::ok_status();
}

// The network in all tokens of the data: what it hardly met, or never, gets a vector from its text.
struct Complete {
  model::Model weights;
  base::Json text_map;
};
base::Result<Complete> complete(const StartInput& in, const model::Model& learned, base::Instant until) {
  Complete out{learned, {}};
  BECKON_TRY(out.text_map, in.material->texts.finish(sequences_until(in, until), out.weights));
  return out;
}

// Weights before and after the newest steps, and what the mixture of the plan needs.
struct Learned {
  Start start;
  Complete chosen;                   // has learned up to the validation part
  model::Model current;              // as it comes out of fine-tuning up to the test part
  response::ItemResponse item_response;
  std::optional<double> fine_tuning_seconds;  // none: nothing new, current is as the start
};

base::Result<response::CandidateResponse> fit_candidates(const Context& context, const StartInput& in, const model::Model& weights,
                                                         base::Instant until) {
  return response::fit_candidate_response(in.data(), weights, in.material->messages, {until, in.horizon_ms}, *context.executor);
}

// A shop may have nothing to learn these heads from: training goes on without them, and says why.
base::Json candidates_json(const base::Result<response::CandidateResponse>& fitted, const Material& material) {
  base::Json out = {{"messages", static_cast<std::int64_t>(material.messages.size())}};
  if (!fitted.ok()) {
    out["missing_because"] = fitted.error().message;
    return out;
  }
  out.update({{"seconds", fitted->report.seconds}, {"epochs", fitted->report.epochs}, {"best_epoch", fitted->report.best_epoch}});
  for (const auto& [head, name] : {std::pair{response::kBuysItem, "buys_item"}, {response::kClicks, "clicks_message"}}) {
    out[name] = {{"positives", fitted->positives[head]}, {"calibrated", fitted->knows(head)}};
  }
  return out;
}

std::string version_of(const TrainedModel& trained) {
  std::string bytes;
  const auto add = [&](std::span<const float> numbers) {
    const auto raw = std::as_bytes(numbers);
    bytes.append(reinterpret_cast<const char*>(raw.data()), raw.size());
  };
  add(trained.weights->weights());
  if (trained.candidates.has_value()) {
    add(trained.candidates->heads.weights());
  }
  return base::to_hex(privacy::sha256(bytes).substr(0, 8));
}

base::Result<Learned> learn(Context& context, const StartInput& in, Start start) {
  BECKON_TRY(Complete chosen, complete(in, start.weights, start.learned_until));
  model::Model current = start.weights;
  Learned out{std::move(start), std::move(chosen), std::move(current), {}, {}};
  // On steps that the network has not seen yet; the test period stays untouched.
  auto fitted = response::fit_item_response(in.data(), out.chosen.weights, {out.start.learned_until, in.horizon_ms}, *context.executor);
  if (!fitted.ok()) {
    return fitted.error().at("weighing the evidence by who bought what in the " + std::to_string(in.horizon_ms / base::kDayMs) + " days after " +
                             base::format_date(out.start.learned_until));
  }
  out.item_response = std::move(fitted).value();
  BECKON_TRY(out.fine_tuning_seconds, fine_tune(context, in, out.current, {out.start.learned_until, in.split.test_from}));
  return out;
}

base::Json start_json(const Learned& learned) {
  const Start& start = learned.start;
  const double whole = start.pretraining_seconds;
  return {{"pretrained_now", start.fresh},
          {start.fresh ? "because" : "goes_on_from", start.why},
          {"learned_until", base::format_time(start.learned_until)},
          {"pretraining_seconds", whole},
          {"fine_tuning_seconds", learned.fine_tuning_seconds.value_or(0)},
          {"share_of_time", whole > 0 ? base::Json(learned.fine_tuning_seconds.value_or(0) / whole) : base::Json()}};
}

// Where to go on from, if anywhere; `why` says why not.
base::Result<std::optional<Pretrained>> checkpoint(const Context& context, const TrainRequest& request, std::string& why) {
  if (!request.from.empty()) {
    BECKON_TRY(auto given, load_pretrained(*context.files, request.from));
    return std::optional<Pretrained>(std::move(given));
  }
  const bool interrupted = request.resume && context.files->exists(checkpoint_path(context) + ".state");
  why = request.pretrain ? "asked for" : interrupted ? "it had been interrupted" : "the first training";
  if (request.pretrain || interrupted || !context.files->exists(pretrained_path(context))) {
    return std::optional<Pretrained>();
  }
  auto own = load_pretrained(*context.files, pretrained_path(context));
  if (!own.ok()) {
    why = own.error().message;
    return std::optional<Pretrained>();
  }
  return std::optional<Pretrained>(std::move(own).value());
}

StartInput input_of(const Context& context, const Material& material, const TrainRequest& request, base::Instant now) {
  const features::Dataset& data = material.data;
  return {&material, {features::time_quantile(data, 0.8), features::time_quantile(data, 0.9), now},
          context.config.shop.train.horizon_days * base::kDayMs, &request};
}

base::Status check_enough(const features::Dataset& data, base::Instant now) {
  if (data.steps >= kStepsMin) {
    return base::ok_status();
  }
  return base::failed_precondition("there are only " + std::to_string(data.steps) + " views, carts and purchases up to " +
                                   base::format_date(now) + ", training needs " + std::to_string(kStepsMin) +
                                   ": plans use popularity and own history until then");
}

// Material and start belong together: side columns are numbered as the network knows them.
struct Begun {
  Material material;
  Start start;
};
base::Result<Begun> begin(Context& context, const TrainRequest& request, base::Instant now) {
  std::string why;
  BECKON_TRY(const auto given, checkpoint(context, request, why));
  if (given.has_value()) {
    BECKON_TRY(Material material, material_of(context, now, &given->words, NewWords::kNumbered));
    BECKON_TRY_STATUS(check_enough(material.data, now));
    const StartInput in = input_of(context, material, request, now);
    auto start = go_on_from(context, in, *given);
    if (!request.from.empty() && !start.ok()) {
      return start.error().at(request.from);
    }
    why = start.ok() && request.from.empty() ? outdated(*start, in) : start.ok() ? std::string() : start.error().message;
    if (why.empty()) {
      return Begun{std::move(material), std::move(start).value()};
    }
  }
  BECKON_TRY(Material material, material_of(context, now, nullptr, NewWords::kNumbered));
  BECKON_TRY_STATUS(check_enough(material.data, now));
  BECKON_TRY(Start start, pretrain(context, input_of(context, material, request, now)));
  start.why = why;
  return Begun{std::move(material), std::move(start)};
}

}  // namespace

base::Result<base::Json> train(Context& context, const TrainRequest& request) {
  BECKON_TRY_STATUS(check_request(request));
  const base::Instant now = context.clock->now();
  BECKON_TRY(Begun begun, begin(context, request, now));
  const features::Dataset& data = begun.material.data;
  StartInput in = input_of(context, begun.material, request, now);
  BECKON_TRY(Learned learned, learn(context, in, std::move(begun.start)));
  in.split.validation_from = learned.start.learned_until;
  const bool tuned = learned.fine_tuning_seconds.has_value();
  BECKON_TRY(const Complete current, complete(in, learned.current, tuned ? in.split.test_from : learned.start.learned_until));
  const model::Model& judged = tuned ? current.weights : learned.chosen.weights;
  const auto candidates = fit_candidates(context, in, judged, in.split.test_from);
  const TestInput test{&data, &learned.chosen.weights, &judged, &learned.item_response, candidates.ok() ? &*candidates : nullptr,
                       begun.material.messages, in.split, in.horizon_ms};
  base::Json figures = {{"as_of", base::format_time(now)},
                        {"customers", static_cast<std::int64_t>(data.histories.size())},
                        {"steps", data.steps},
                        {"items", data.vocabulary.warm_size() - 1},
                        {"new_items", data.vocabulary.size() - data.vocabulary.warm_size()},
                        {"text_vectors", begun.material.texts.made()},
                        {"text_map", current.text_map},
                        {"flagged_customers_left_out", data.flagged},
                        {"returned_purchases_left_out", data.refunded},
                        {"loss", learned.current.options().loss == model::LossKind::kFullSoftmax ? "full softmax" : "sampled softmax"},
                        {"start", start_json(learned)},
                        {"test", measure_on_test(test, *context.executor)}};
  if (learned.start.fresh) {
    figures["training"] = training_json(learned.start.report);
  }
  // Measured; now the test part may teach too, in the way that the test has judged.
  BECKON_TRY(const auto newest_seconds, fine_tune(context, in, learned.current, {in.split.test_from, now}));
  TrainedModel trained;
  trained.learned_until = newest_seconds.has_value() ? now : tuned ? in.split.test_from : learned.start.learned_until;
  BECKON_TRY(Complete deployed, complete(in, learned.current, trained.learned_until));
  trained.item_response = learned.item_response;
  auto deployed_candidates = fit_candidates(context, in, deployed.weights, now);
  figures["candidate_heads"] = candidates_json(deployed_candidates, begun.material);
  if (deployed_candidates.ok()) {
    trained.candidates.emplace(std::move(deployed_candidates).value());
  }
  BECKON_TRY(const auto clicks, learn_clicks(context, {&data, &begun.material.facts, nullptr, begun.material.messages}));
  figures["clicks"] = clicks_json(clicks);
  trained.figures = std::move(figures);
  trained.vocabulary = data.vocabulary;
  trained.words = data.words;
  trained.weights.emplace(std::move(deployed.weights));
  trained.version = version_of(trained);
  BECKON_TRY_STATUS(save_model(context, trained));
  if (!request.onnx.empty()) {
    BECKON_TRY(const std::string onnx, model::to_onnx(*trained.weights));
    BECKON_TRY_STATUS(context.files->write_atomic(request.onnx, onnx));
  }
  base::Json answer = trained.figures;
  answer["model"] = trained.version;
  answer["exit"] = 0;
  return answer;
}

}  // namespace beckon::engine
