// The only user of XGBoost (its C API).
#include <xgboost/c_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "beckon/base/check.h"
#include "beckon/uplift/base.h"
#include "constant.h"

namespace beckon::uplift {
namespace {

base::Status said(int code) {
  if (code == 0) {
    return base::ok_status();
  }
  const std::string words = XGBGetLastError();
  return base::Error{base::ErrorCode::kUnavailable, "XGBoost failed: " + words.substr(0, words.find('\n'))};
}

// A contiguous array as the library reads it (numpy's array interface).
std::string array_text(const float* data, std::size_t rows, std::size_t columns) {
  return "{\"data\":[" + std::to_string(reinterpret_cast<std::uintptr_t>(data)) + ",true],\"shape\":[" + std::to_string(rows) + "," +
         std::to_string(columns) + "],\"typestr\":\"<f4\",\"version\":3}";
}

std::vector<float> gathered(const Matrix& x, std::span<const std::uint32_t> rows) {
  std::vector<float> out(rows.size() * x.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::ranges::copy(x.row(rows[i]), out.begin() + static_cast<std::ptrdiff_t>(i * x.columns));
  }
  return out;
}

// Quantised from one batch: the library keeps a byte a cell and no copy of the floats.
class Data final : public Prepared {
 public:
  Data() = default;
  ~Data() override {
    if (handle_ != nullptr) {
      XGDMatrixFree(handle_);
    }
    if (proxy_ != nullptr) {
      XGDMatrixFree(proxy_);
    }
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  DMatrixHandle handle() const { return handle_; }

  base::Status quantise(const Matrix& x, std::span<const std::uint32_t> rows, const TreeOptions& options) {
    values_ = gathered(x, rows);
    interface_ = array_text(values_.data(), rows.size(), x.columns);
    BECKON_TRY_STATUS(said(XGProxyDMatrixCreate(&proxy_)));
    const std::string config = "{\"missing\":NaN,\"nthread\":" + std::to_string(options.threads) + ",\"max_bin\":" + std::to_string(options.bins) + "}";
    BECKON_TRY_STATUS(said(XGQuantileDMatrixCreateFromCallback(this, proxy_, nullptr, rewind, next, config.c_str(), &handle_)));
    values_ = {};
    ones_.assign(rows.size(), 1.0F);
    return base::ok_status();
  }

  base::Status set(const Lesson& lesson) const {
    const auto size = static_cast<bst_ulong>(lesson.rows.size());
    BECKON_TRY_STATUS(said(XGDMatrixSetFloatInfo(handle_, "label", lesson.outcome.data(), size)));
    const float* weight = lesson.weight.empty() ? ones_.data() : lesson.weight.data();
    return said(XGDMatrixSetFloatInfo(handle_, "weight", weight, size));
  }

 private:
  static void rewind(DataIterHandle self) { static_cast<Data*>(self)->given_ = false; }
  static int next(DataIterHandle self) {
    Data& data = *static_cast<Data*>(self);
    if (data.given_) {
      return 0;
    }
    data.given_ = true;
    return XGProxyDMatrixSetDataDense(data.proxy_, data.interface_.c_str()) == 0 ? 1 : 0;
  }

  std::vector<float> values_;
  std::vector<float> ones_;
  std::string interface_;
  bool given_ = false;
  DMatrixHandle proxy_ = nullptr;
  DMatrixHandle handle_ = nullptr;
};

class Trees final : public Fitted {
 public:
  Trees() = default;
  ~Trees() override {
    if (booster_ != nullptr) {
      XGBoosterFree(booster_);
    }
  }
  Trees(const Trees&) = delete;
  Trees& operator=(const Trees&) = delete;

  base::Status grow(const Lesson& lesson, const Data& data, const TreeOptions& options) {
    BECKON_TRY_STATUS(data.set(lesson));
    const DMatrixHandle handle = data.handle();
    BECKON_TRY_STATUS(said(XGBoosterCreate(&handle, 1, &booster_)));
    const bool probability = lesson.response == Response::kProbability;
    const double mean = weighted_mean(lesson);
    // The library's bound is on the sum of second derivatives: p(1-p) a row for probabilities, 1 for amounts, times the weight.
    const double curvature = (probability ? mean * (1 - mean) : 1) * mean_weight(lesson);
    const double rows_min = probability ? options.probability_rows_min : options.amount_rows_min;
    const std::array<std::pair<const char*, std::string>, 13> settings{{
        {"verbosity", "0"},
        {"nthread", std::to_string(options.threads)},
        {"tree_method", "hist"},
        {"grow_policy", "lossguide"},
        {"objective", probability ? "binary:logistic" : "reg:squarederror"},
        {"base_score", std::to_string(mean)},
        {"max_leaves", std::to_string(probability ? options.probability_leaves : options.amount_leaves)},
        {"max_depth", std::to_string(options.depth_max)},
        {"max_bin", std::to_string(options.bins)},
        {"eta", std::to_string(options.learning_rate)},
        {"lambda", std::to_string(options.l2 * mean_weight(lesson))},
        {"min_child_weight", std::to_string(rows_min * curvature)},
        {"seed", std::to_string(lesson.seed & 0x7FFFFFFF)},
    }};
    for (const auto& [name, value] : settings) {
      BECKON_TRY_STATUS(said(XGBoosterSetParam(booster_, name, value.c_str())));
    }
    const int rounds = probability ? options.probability_rounds : options.amount_rounds;
    for (int round = 0; round < rounds; ++round) {
      BECKON_TRY_STATUS(said(XGBoosterUpdateOneIter(booster_, round, handle)));
    }
    rounds_ = rounds;
    return base::ok_status();
  }

  void predict(const Matrix& x, std::span<const std::uint32_t> rows, std::span<float> out) const override {
    constexpr std::size_t kBlock = 16'384;
    for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
      const auto part = rows.subspan(begin, std::min(kBlock, rows.size() - begin));
      const std::vector<float> values = gathered(x, part);
      const std::string text = array_text(values.data(), part.size(), x.columns);
      const bst_ulong* shape = nullptr;
      bst_ulong dimensions = 0;
      const float* answer = nullptr;
      constexpr const char* kConfig = R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"missing":NaN,"cache_id":0})";
      // Only a matrix of other columns could make it fail, which would be our fault.
      BECKON_CHECK(XGBoosterPredictFromDense(booster_, text.c_str(), kConfig, nullptr, &shape, &dimensions, &answer) == 0);
      std::copy_n(answer, part.size(), out.begin() + static_cast<std::ptrdiff_t>(begin));
    }
  }

 private:
  BoosterHandle booster_ = nullptr;
  int rounds_ = 0;
};

class BoostedTrees final : public Base {
 public:
  explicit BoostedTrees(const TreeOptions& options) : options_(options) {}
  std::string_view name() const override { return "trees"; }
  bool finds_interactions() const override { return true; }

  base::Result<std::unique_ptr<Prepared>> prepare(const Matrix& x, std::span<const std::uint32_t> rows) const override {
    auto data = std::make_unique<Data>();
    BECKON_TRY_STATUS(data->quantise(x, rows, options_));
    return std::unique_ptr<Prepared>(std::move(data));
  }

  base::Result<std::unique_ptr<Fitted>> fit(const Lesson& lesson) const override {
    check(lesson);
    if (auto constant = fit_constant(lesson)) {
      return std::unique_ptr<Fitted>(std::move(constant));
    }
    auto trees = std::make_unique<Trees>();
    std::unique_ptr<Prepared> own;
    if (lesson.prepared == nullptr) {
      BECKON_TRY(own, prepare(*lesson.x, lesson.rows));
    }
    const auto& data = static_cast<const Data&>(lesson.prepared == nullptr ? *own : *lesson.prepared);
    BECKON_TRY_STATUS(trees->grow(lesson, data, options_));
    return std::unique_ptr<Fitted>(std::move(trees));
  }

 private:
  TreeOptions options_;
};

}  // namespace

std::unique_ptr<Base> boosted_trees(const TreeOptions& options) {
  return std::make_unique<BoostedTrees>(options);
}

}  // namespace beckon::uplift
