// TensorBoard skips a file with a wrong checksum without a word: the curves would be missing and nobody would know why.
#include "beckon/evaluate/tensorboard.h"

#include <bit>
#include <cstring>

#include "beckon/base/codec.h"
#include "world.h"

namespace beckon::evaluate {
namespace {

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
  }
  return value;
}

std::uint32_t unmasked(std::uint64_t masked) {
  const auto rotated = static_cast<std::uint32_t>(masked) - 0xA282EAD8U;
  return rotated >> 17U | rotated << 15U;
}

// Payloads of a file, each checksum looked at.
std::vector<std::string> records_of(std::string_view bytes) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    const auto length = static_cast<std::size_t>(number_at(bytes, 0, 8));
    EXPECT_EQ(unmasked(number_at(bytes, 8, 4)), base::crc32c(bytes.substr(0, 8)));
    out.emplace_back(bytes.substr(12, length));
    EXPECT_EQ(unmasked(number_at(bytes, 12 + length, 4)), base::crc32c(out.back()));
    bytes.remove_prefix(16 + length);
  }
  return out;
}

TEST(TensorBoard, TheFileReadsBackWithItsChecksums) {
  base::MemoryFileSystem files;
  const base::ManualClock clock({1'700'000'000'500});
  auto log = TensorBoardLog::open(files, "tb", clock).value();
  model::EpochReport report;
  report.epoch = 300;
  report.train_loss = 2.5;
  report.validation_ndcg10 = .0625;
  ASSERT_TRUE(log.epoch(report).ok());
  const auto records = records_of(files.read("tb/events.out.tfevents.1700000000.beckon").value());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(std::bit_cast<double>(number_at(records[0], 1, 8)), 1'700'000'000.5);
  EXPECT_NE(records[0].find("brain.Event:2"), std::string::npos);
  // step 300 is the varint ac 02; a value is tag (field 1), then the float (field 2, fixed 32).
  EXPECT_EQ(records[1].substr(9, 3), "\x10\xac\x02");
  const auto loss = records[1].find("train/loss");
  ASSERT_NE(loss, std::string::npos);
  EXPECT_EQ(records[1][loss + 10], '\x15');
  EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(number_at(records[1], loss + 11, 4))), 2.5F);
  EXPECT_NE(records[1].find("validation/hr@10"), std::string::npos);
}

TEST(TensorBoard, FramesAsTheFormatHasThem) {
  // A record written by TensorFlow for an empty payload.
  EXPECT_EQ(base::to_hex(tf_record("")), "00000000000000002903" "9807" "d8ea82a2");
}

}  // namespace
}  // namespace beckon::evaluate
