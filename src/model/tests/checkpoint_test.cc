// A damaged or foreign model file must be refused with a way out; a good one must come back with the same bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "checkpoint.h"
#include "options.h"
#include "safetensors.h"

namespace beckon::model {
namespace {

Model some_model() {
  ModelOptions options;
  options.tokens = 11;
  options.side_sizes = {3};
  options.heads = 1;
  options.width = 16;
  options.layers = 1;
  options.length_max = 5;
  options.dropout = .1F;
  options.loss = LossKind::kSampledSoftmax;
  return Model::make(options, 4).value();
}

std::string with_header(const std::string& header, const std::string& data = {}) {
  std::string out(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

TEST(Checkpoint, SavesAndLoadsTheSameBitsAndOptions) {
  const auto model = some_model();
  base::MemoryFileSystem files;
  ASSERT_TRUE(model.save(files, "m").ok());
  const auto back = Model::load(files, "m").value();
  EXPECT_TRUE(std::ranges::equal(model.weights(), back.weights()));
  EXPECT_EQ(back.options().side_sizes, model.options().side_sizes);
  EXPECT_EQ(back.options().dropout, model.options().dropout);
  EXPECT_EQ(back.options().loss, LossKind::kSampledSoftmax);
  EXPECT_EQ(Model::load(files, "absent").error().code, base::ErrorCode::kNotFound);
}

TEST(Checkpoint, EveryOptionComesBackAndAFileThatDoesNotNameItsArchitectureIsTheFirstOne) {
  ModelOptions options = some_model().options();
  options.arch = Arch::kLigr;
  options.positions = Positions::kAbsolute;
  options.time_bias = false;
  options.feed_forward_bias = true;
  options.token_bias = false;
  options.final_norm = false;
  options.loss = LossKind::kGbce;
  options.gbce_calibration = .5F;
  options.head_loss = HeadLoss::kSquaredError;
  EXPECT_EQ(inner::to_json(inner::options_from_json(inner::to_json(options)).value()), inner::to_json(options));
  for (const char* arch : {"ligr", "sasrec", "rnn", "gru", "lstm"}) {
    options.arch = arch_from(arch).value();
    EXPECT_EQ(inner::options_from_json(inner::to_json(options)).value().arch, options.arch);
  }
  const auto old = inner::options_from_json(
      R"({"tokens":5,"side_sizes":[],"heads":0,"width":16,"layers":1,"attention_heads":1,"feed_forward_width":0,"length_max":4,)"
      R"("dropout":0.1,"loss":"full","negatives":16,"head_weight":1})");
  ASSERT_TRUE(old.ok()) << old.error().message;
  EXPECT_EQ(old->arch, Arch::kLigr);
  EXPECT_EQ(old->positions, Positions::kDistance);
  EXPECT_FALSE(old->time_bias);
  EXPECT_THAT(arch_from("mamba").error().message, testing::AllOf(testing::HasSubstr("mamba"), testing::HasSubstr("lstm")));
}

TEST(Checkpoint, EveryTruncationAndEveryFlippedByteOfTheNumbersIsNoticed) {
  const auto bytes = inner::model_to_bytes(some_model());
  for (std::size_t length = 0; length < bytes.size(); length += length < 3000 ? 7 : 501) {
    const auto cut = inner::model_from_bytes(std::string_view(bytes).substr(0, length));
    ASSERT_FALSE(cut.ok()) << length;
    ASSERT_EQ(cut.error().code, base::ErrorCode::kDataLoss) << length;
  }
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  for (std::size_t at = 8 + header; at < bytes.size(); at += 97) {
    auto flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    ASSERT_FALSE(inner::model_from_bytes(flipped).ok()) << at;
  }
}

TEST(Checkpoint, AnotherVersionIsNamed) {
  auto bytes = inner::model_to_bytes(some_model());
  const auto at = bytes.find("beckon-model-1");
  bytes.replace(at, 14, "beckon-model-9");
  const auto refused = inner::model_from_bytes(bytes);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("beckon-model-9"));
}

TEST(Checkpoint, HostileHeadersAreRefusedWithoutAllocatingWhatTheyAskFor) {
  const std::vector<std::string> hostile{
      with_header(""),
      with_header("[]"),
      with_header("{\"__metadata__\":7}"),
      with_header("{\"__metadata__\":{\"a\":7}}"),
      with_header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
      with_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234"),
      with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "1234"),
      with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234"),
      with_header(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", "12345678"),
      with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "12345678"),
      with_header(R"({"__metadata__":{"format":"beckon-model-1"}})"),
      with_header(R"({"__metadata__":{"format":"beckon-model-1","config":"{}"}})"),
      std::string(8, '\xff') + "{}",
  };
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    EXPECT_FALSE(inner::model_from_bytes(hostile[i]).ok()) << i;
  }
  // A configuration of hundreds of gigabytes beside the numbers of a small model.
  auto bytes = inner::model_to_bytes(some_model());
  const auto at = bytes.find("\\\"tokens\\\":11,");
  ASSERT_NE(at, std::string::npos);
  const std::string larger = "\\\"tokens\\\":19999999,";
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  std::string text = bytes.substr(8, header);
  text.replace(at - 8, 14, larger);
  const auto refused = inner::model_from_bytes(with_header(text, bytes.substr(8 + header)));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, testing::HasSubstr("token.bias"));
}

TEST(Checkpoint, WeightsThatAreNoNumbersAreRefused) {
  auto model = some_model();
  model.weights()[0] = std::nanf("");
  EXPECT_FALSE(inner::model_from_bytes(inner::model_to_bytes(model)).ok());
}

TEST(Safetensors, HeaderIsPaddedAndReadableByOtherPrograms) {
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
  const std::vector<inner::TensorEntry> tensors{{"b", {2, 3}, numbers}, {"a", {1}, std::span(numbers).subspan(0, 1)}};
  const auto bytes = inner::write_safetensors(tensors, {{"who", "test"}});
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ((8 + header) % 64, 0U);
  EXPECT_EQ(bytes.size(), 8 + header + 28);
  const auto file = inner::read_safetensors(bytes).value();
  EXPECT_EQ(file.metadata.at("who"), "test");
  std::vector<float> back(6);
  ASSERT_TRUE(file.copy("b", {2, 3}, back).ok());
  EXPECT_EQ(back, numbers);
  EXPECT_FALSE(file.copy("b", {3, 2}, back).ok());
  EXPECT_FALSE(file.copy("c", {2, 3}, back).ok());
}

}  // namespace
}  // namespace beckon::model
