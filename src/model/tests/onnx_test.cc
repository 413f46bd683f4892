// A graph that other programs cannot read is found out at the customer's. Its numbers: tools/onnx_check.py with onnxruntime.
#include "beckon/model/onnx.h"

#include <gtest/gtest.h>

#include "memory.h"

namespace beckon::model {
namespace {

ModelOptions options_of(Arch arch) {
  ModelOptions options;
  options.arch = arch;
  options.tokens = 50;
  options.width = 16;
  return options;
}

TEST(Onnx, WritesEveryArchitecture) {
  // A shop that trained another network than the default could not take it anywhere.
  const std::pair<Arch, const char*> expected[] = {
      {Arch::kLigr, "Softmax"}, {Arch::kSasrec, "Relu"}, {Arch::kRnn, "RNN"}, {Arch::kGru, "GRU"}, {Arch::kLstm, "LSTM"}};
  for (const auto& [arch, type] : expected) {
    const auto model = Model::make(options_of(arch), 1).value();
    const auto bytes = to_onnx(model);
    ASSERT_TRUE(bytes.ok()) << type;
    EXPECT_NE(bytes->find(type), std::string::npos) << type;
    EXPECT_EQ(bytes->find("request_ms") != std::string::npos, arch == Arch::kLigr) << type;
    EXPECT_EQ(bytes->find("memory"), std::string::npos) << "nothing was counted";
  }
}

TEST(Onnx, TakesTheMemoryAlong) {
  // Logits without what counting knows rank far worse where people buy the same things again.
  auto model = Model::make(options_of(Arch::kGru), 1).value();
  Sequence sequence;
  sequence.token = {1, 2, 3};
  sequence.target = {2, 3, 4};
  model.set_memory(std::make_shared<const inner::Memory>(inner::Memory::count(std::vector{sequence}, model.tokens())));
  const std::string bytes = to_onnx(model).value();
  for (const char* name : {"memory_tokens", "memory.gate", "ScatterElements"}) {
    EXPECT_NE(bytes.find(name), std::string::npos) << name;
  }
  model.set_memory(std::make_shared<const inner::Memory>(inner::Memory::count(std::vector<Sequence>{}, model.tokens())));
  EXPECT_TRUE(to_onnx(model).ok()) << "a memory that remembers nothing";
}

TEST(Onnx, HoldsEveryWeightAndTheDocumentedNames) {
  // A renamed input breaks whoever feeds it by name.
  ModelOptions options = options_of(Arch::kLigr);
  options.side_sizes = {4};
  options.heads = 1;
  options.layers = 1;
  const auto model = Model::make(options, 1).value();
  const std::string bytes = to_onnx(model).value();
  for (const char* name : {"tokens", "side", "at_ms", "request_ms", "lengths", "logits", "head_logits", "token.embedding", "layers.0.attention.distance_bias", "LayerNormalization"}) {
    EXPECT_NE(bytes.find(name), std::string::npos) << name;
  }
  EXPECT_GT(bytes.size(), 50 * 16 * sizeof(float));
  EXPECT_EQ(bytes, to_onnx(model).value());
}

}  // namespace
}  // namespace beckon::model
