// A model moved from the PyTorch opponent would answer otherwise here, or a comparison with it would be of two different networks.
// The files are written by tools/torch_parity.py.
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/json.h"
#include "beckon/model/model.h"

namespace beckon::model {
namespace {

void expect_the_opponents_logits(const std::string& arch) {
  const std::string stem = std::string(BECKON_SOURCE_DIR) + "/src/model/tests/data/parity_" + arch;
  const base::PosixFileSystem files;
  const auto loaded = Model::load(files, stem + ".safetensors");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const auto text = files.read(stem + ".json");
  ASSERT_TRUE(text.ok());
  const auto json = base::parse_json(*text).value();
  std::vector<Sequence> histories;
  for (const auto& tokens : json["history"]) {
    histories.emplace_back().token = tokens.get<std::vector<std::int32_t>>();
  }
  base::SeededExecutor executor(1);
  std::vector<float> got(histories.size() * loaded->tokens());
  loaded->score_tokens(loaded->encode(histories, executor), got);
  for (std::size_t h = 0; h < histories.size(); ++h) {
    const auto expected = json["logits"][h].get<std::vector<double>>();
    ASSERT_EQ(expected.size() + 1, loaded->tokens());
    for (std::size_t t = 1; t < loaded->tokens(); ++t) {
      const double logit = expected[t - 1];
      ASSERT_NEAR(got[h * loaded->tokens() + t], logit, 1e-4 * std::max(1.0, std::abs(logit))) << "history " << h << " item " << t;
    }
  }
}

TEST(Parity, Ligr) {
  expect_the_opponents_logits("ligr");
}
TEST(Parity, Sasrec) {
  expect_the_opponents_logits("sasrec");
}
TEST(Parity, Gru) {
  expect_the_opponents_logits("gru");
}
TEST(Parity, Lstm) {
  expect_the_opponents_logits("lstm");
}

}  // namespace
}  // namespace beckon::model
