// A graph that other programs cannot read is found out at the customer's. Its numbers: tools/onnx_check.py with onnxruntime.
#include "beckon/model/onnx.h"

#include <gtest/gtest.h>

namespace beckon::model {
namespace {

TEST(Onnx, HoldsEveryWeightAndTheDocumentedNames) {
  // A renamed input breaks whoever feeds it by name.
  ModelOptions options;
  options.tokens = 50;
  options.side_sizes = {4};
  options.heads = 1;
  options.width = 16;
  options.layers = 1;
  const auto model = Model::make(options, 1).value();
  const std::string bytes = to_onnx(model).value();
  for (const char* name : {"tokens", "side", "lengths", "logits", "head_logits", "token.embedding", "layers.0.attention.distance_bias", "LayerNormalization"}) {
    EXPECT_NE(bytes.find(name), std::string::npos) << name;
  }
  EXPECT_GT(bytes.size(), 50 * 16 * sizeof(float));
  EXPECT_EQ(bytes, to_onnx(model).value());
}

}  // namespace
}  // namespace beckon::model
