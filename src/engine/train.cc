#include <algorithm>

#include "beckon/model/onnx.h"
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

// Refused now, not after an hour of training.
base::Status check_onnx(const Context& context, const TrainRequest& request) {
  if (request.onnx.empty()) {
    return base::ok_status();
  }
  model::ModelOptions shape = context.config.model;
  shape.tokens = 2;
  BECKON_TRY(const auto network, model::Model::make(shape, 1));
  const auto writable = model::to_onnx(network);
  return writable.ok() ? base::ok_status() : base::Status(writable.error());
}

// Weights before and after the newest steps, and what the mixture of the plan needs.
struct Learned {
  Start start;
  model::Model current;              // has learned up to the test part
  response::ItemResponse item_response;
  double fine_tuning_seconds = 0;
};

base::Result<Learned> learn(Context& context, const StartInput& in) {
  BECKON_TRY(Start start, start_of(context, in));
  model::Model current = start.weights;
  Learned out{std::move(start), std::move(current), {}, 0};
  // On steps that the network has not seen yet; the test period stays untouched.
  auto fitted = response::fit_item_response(*in.data, out.start.weights, {out.start.learned_until, in.horizon_ms}, *context.executor);
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
          {"fine_tuning_seconds", learned.fine_tuning_seconds},
          {"share_of_time", whole > 0 ? base::Json(learned.fine_tuning_seconds / whole) : base::Json()}};
}

}  // namespace

base::Result<features::Dataset> shop_data(const Context& context, base::Instant as_of) {
  const catalog::Shop& shop = context.config.shop;
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  features::DatasetOptions options;
  options.as_of = as_of;
  options.items_max = shop.train.items_max;
  options.sensitive_categories = shop.sensitive_categories;
  options.services = shop.services;
  return features::build_dataset(*context.rows, categories_of(items), options);
}

base::Result<base::Json> train(Context& context, const TrainRequest& request) {
  BECKON_TRY_STATUS(check_request(request));
  BECKON_TRY_STATUS(check_onnx(context, request));
  const base::Instant now = context.clock->now();
  BECKON_TRY(const auto data, shop_data(context, now));
  if (data.steps < kStepsMin) {
    return base::failed_precondition("there are only " + std::to_string(data.steps) + " views, carts and purchases up to " +
                                     base::format_date(now) + ", training needs " + std::to_string(kStepsMin) +
                                     ": plans use popularity and own history until then");
  }
  const std::int64_t horizon_ms = context.config.shop.train.horizon_days * base::kDayMs;
  StartInput in{&data, {features::time_quantile(data, 0.8), features::time_quantile(data, 0.9), now}, horizon_ms, &request};
  BECKON_TRY(Learned learned, learn(context, in));
  in.split.validation_from = learned.start.learned_until;
  const bool tuned = learned.fine_tuning_seconds > 0;
  const TestInput test{&data, &learned.start.weights, tuned ? &learned.current : &learned.start.weights, &learned.item_response, in.split, horizon_ms};
  base::Json figures = {{"as_of", base::format_time(now)},
                        {"customers", static_cast<std::int64_t>(data.histories.size())},
                        {"steps", data.steps},
                        {"items", data.vocabulary.size() - 1},
                        {"flagged_customers_left_out", data.flagged},
                        {"returned_purchases_left_out", data.refunded},
                        {"loss", learned.current.options().loss == model::LossKind::kFullSoftmax ? "full softmax" : "sampled softmax"},
                        {"start", start_json(learned)},
                        {"test", measure_on_test(test, *context.executor)}};
  if (learned.start.fresh) {
    figures["training"] = training_json(learned.start.report);
  }
  // Measured; now the test part may teach too, in the way that the test has judged.
  TrainedModel trained;
  BECKON_TRY([[maybe_unused]] const double seconds, fine_tune(context, in, learned.current, {in.split.test_from, now}));
  trained.item_response = learned.item_response;
  trained.learned_until = tuned ? now : learned.start.learned_until;
  const auto bytes = std::as_bytes(learned.current.weights());
  trained.version = base::to_hex(privacy::sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).substr(0, 8));
  trained.figures = std::move(figures);
  trained.vocabulary = data.vocabulary;
  trained.weights.emplace(std::move(learned.current));
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
