// A night's export could be half taken in, or never end, and nobody would notice if one of these broke.
#include "beckon/table/lines.h"

#include <gtest/gtest.h>

#include "beckon/base/rng.h"
#include "test_files.h"

namespace beckon::table {
namespace {

struct Read {
  std::vector<std::string> lines;
  std::vector<std::int64_t> numbers;
  std::vector<std::int64_t> too_long;
  std::string error;
  std::size_t largest_block = 0;
};

Read read_all(const std::string& path, char csv_delimiter = '\0') {
  Read out;
  auto source = LineSource::open(path);
  if (!source.ok()) {
    out.error = source.error().message;
    return out;
  }
  for (int blocks = 0; blocks < 10'000; ++blocks) {
    const auto block = (*source)->next(csv_delimiter);
    if (!block.ok()) {
      EXPECT_EQ(block.error().code, base::ErrorCode::kInvalidArgument);
      out.error = block.error().message;
      return out;
    }
    if (block->lines.empty()) {
      return out;
    }
    out.largest_block = std::max(out.largest_block, block->bytes.size());
    for (const Line& line : block->lines) {
      if (line.too_long) {
        EXPECT_TRUE(line.text.empty());
        out.too_long.push_back(line.number);
      } else {
        out.lines.emplace_back(line.text);
        out.numbers.push_back(line.number);
      }
    }
  }
  ADD_FAILURE() << "the source never ends";
  return out;
}

// Lines of all lengths, some empty ones between them; `expected` and `numbers` as they must come out.
struct Sample {
  std::string bytes;
  std::vector<std::string> expected;
  std::vector<std::int64_t> numbers;
  Sample(std::uint64_t seed, std::size_t size, const std::string& line_end) {
    base::Rng rng(seed);
    for (std::int64_t number = 1; bytes.size() < size; ++number) {
      const std::string line(rng.chance(0.1) ? 0 : rng.below(3000), static_cast<char>('a' + rng.below(26)));
      bytes += line + line_end;
      if (!line.empty()) {
        expected.push_back(line);
        numbers.push_back(number);
      }
    }
  }
};

TEST(LineSource, PlainGzipAndZstdGiveTheSameLines) {
  // What a shop packs must not change what beckon reads.
  const TestFolder folder("lines");
  for (const std::string line_end : {"\n", "\r\n"}) {
    const Sample sample(line_end.size(), 5 << 20, line_end);
    const std::size_t half = sample.bytes.size() / 2;
    const std::vector<std::string> files = {
        folder.file("plain", sample.bytes), folder.file("a.gz", gzip(sample.bytes)),
        folder.file("members.gz", gzip(sample.bytes.substr(0, half)) + gzip(sample.bytes.substr(half))),
        folder.file("a.zst", zstd(sample.bytes)),
        folder.file("frames.zst", zstd(sample.bytes.substr(0, half)) + zstd(sample.bytes.substr(half)))};
    for (const auto& file : files) {
      SCOPED_TRACE(file);
      const Read read = read_all(file);
      EXPECT_EQ(read.error, "");
      EXPECT_TRUE(read.lines == sample.expected);
      EXPECT_TRUE(read.numbers == sample.numbers);
      EXPECT_LT(read.largest_block, 4U << 20);
      auto source = LineSource::open(file).value();
      EXPECT_EQ(source->bytes_total(), static_cast<std::int64_t>(std::filesystem::file_size(file)));
    }
  }
}

TEST(LineSource, ZstdThatEndsInAFullBufferIsWhole) {
  // Highly packed files: the last bytes wait inside the decoder when all of the file was read.
  const TestFolder folder("zstd");
  for (const std::size_t block : {100'000U, 110'000U, 131'000U}) {
    for (const std::size_t size : {262'144U, 262'145U, 300'000U, 390'000U, 524'288U, 1'000'000U}) {
      SCOPED_TRACE(std::to_string(block) + " " + std::to_string(size));
      std::string text;
      while (text.size() < size) {
        text += "the same line again and again\n";
      }
      text.resize(size);
      const Read read = read_all(folder.file("x", zstd(text, block)));
      EXPECT_EQ(read.error, "");
      std::size_t bytes = 0;
      for (const auto& line : read.lines) {
        bytes += line.size() + 1;
      }
      EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(size), 1.0);
    }
  }
}

TEST(LineSource, ACutOffFileGivesWhatCameBeforeAndThenTheError) {
  // A broken upload must be named, and what is good of it must not be lost. Half a line is no line.
  const TestFolder folder("cut");
  const Sample sample(3, 4 << 20, "\n");
  for (const std::string& packed : {gzip(sample.bytes), zstd(sample.bytes)}) {
    for (const double share : {0.3, 0.9, 0.9999}) {
      SCOPED_TRACE(share);
      const auto size = static_cast<std::size_t>(share * static_cast<double>(packed.size()));
      const Read read = read_all(folder.file("x", packed.substr(0, size)));
      EXPECT_NE(read.error.find("damaged or cut off"), std::string::npos) << read.error;
      ASSERT_LE(read.lines.size(), sample.expected.size());
      EXPECT_GT(read.lines.size(), static_cast<std::size_t>(0.5 * share * static_cast<double>(sample.expected.size())));
      EXPECT_TRUE(std::equal(read.lines.begin(), read.lines.end(), sample.expected.begin()));
    }
  }
  std::string damaged = gzip(sample.bytes);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  EXPECT_NE(read_all(folder.file("x", damaged)).error, "");
  EXPECT_NE(read_all(folder.file("x", std::string("\x1F\x8B\x08", 3))).error, "");
  EXPECT_NE(read_all(folder.file("x", std::string("\x28\xB5\x2F\xFD", 4))).error, "");
}

TEST(LineSource, AnEndlessLineIsOneRejectAndTheNextLineIsIntact) {
  // A binary file among the exports must not eat the memory, nor shift the numbers by which a shop finds its bad lines.
  const TestFolder folder("long");
  for (const std::size_t size : {(1U << 20) + 1, (1U << 20) + 5, 3U << 20, (5U << 20) + 7}) {
    SCOPED_TRACE(size);
    const std::string bytes = "first\n" + std::string(size, 'x') + "\nthird\n\nfifth\n" + std::string(size, 'y') + "\nlast";
    for (const auto& packed : {bytes, gzip(bytes)}) {
      const Read read = read_all(folder.file("x", packed));
      EXPECT_EQ(read.error, "");
      EXPECT_EQ(read.lines, (std::vector<std::string>{"first", "third", "fifth", "last"}));
      EXPECT_EQ(read.numbers, (std::vector<std::int64_t>{1, 3, 5, 7}));
      EXPECT_EQ(read.too_long, (std::vector<std::int64_t>{2, 6}));
      EXPECT_LT(read.largest_block, 4U << 20);
    }
  }
  const std::string longest(1 << 20, 'z');  // just allowed
  EXPECT_EQ(read_all(folder.file("x", longest + "\nnext\n")).lines.size(), 2U);
  EXPECT_EQ(read_all(folder.file("x", std::string(3 << 20, 'z'))).too_long.size(), 1U);  // no line end at all
}

TEST(LineSource, LinesThatFillTheBufferToTheByteDoNotHang) {
  // Sizes around a mebibyte and its parts: one of them used to wait for bytes it would never ask for.
  const TestFolder folder("edge");
  constexpr std::size_t kMega = 1 << 20;
  for (const std::size_t first : {kMega + 3, kMega + 4, kMega / 4 + 3, kMega / 4 + 4, std::size_t{3}}) {
    for (const std::size_t second : {kMega - 1, kMega, kMega + 1, 2 * kMega}) {
      SCOPED_TRACE(std::to_string(first) + " " + std::to_string(second));
      const Read read = read_all(folder.file("x", std::string(first, 'a') + "\n" + std::string(second, 'b') + "\nend\n"));
      EXPECT_EQ(read.error, "");
      EXPECT_EQ(read.lines.size() + read.too_long.size(), 3U);
      ASSERT_FALSE(read.lines.empty());
      EXPECT_EQ(read.lines.back(), "end");
      EXPECT_EQ(read.numbers.back(), 3);
    }
  }
}

TEST(LineSource, LinesStayReadableWhenTheirBlockMoves) {
  // The last few bytes of a file are a block of their own; it goes through several hands before it is parsed.
  const TestFolder folder("moved");
  Block block = LineSource::open(folder.file("x", "a\nbc")).value()->next().value();
  const Block moved = std::move(block);
  block = Block();
  block.bytes.assign(64, 'x');
  ASSERT_EQ(moved.lines.size(), 2U);
  for (const Line& line : moved.lines) {
    EXPECT_TRUE(line.text.data() >= moved.bytes.data() && line.text.data() + line.text.size() <= moved.bytes.data() + moved.bytes.size());
  }
  EXPECT_EQ(moved.lines[1].text, "bc");
}

TEST(LineSource, QuotedRecordsKeepTheirLineEnds) {
  // An address in two lines must not become two broken orders.
  const TestFolder folder("csv");
  const std::string csv = "id,text\n1,\"two\nlines\"\n2,12\" pan\n3, \"a \"\"quoted\"\"\nword\" \n\"4\",5\" \"x\n6,\"\"\n";
  const Read read = read_all(folder.file("x", csv), ',');
  EXPECT_EQ(read.lines, (std::vector<std::string>{"id,text", "1,\"two\nlines\"", "2,12\" pan", "3, \"a \"\"quoted\"\"\nword\" ",
                                                  "\"4\",5\" \"x", "6,\"\""}));
  EXPECT_EQ(read.numbers, (std::vector<std::int64_t>{1, 2, 4, 5, 7, 8}));
  EXPECT_EQ(read_all(folder.file("x", "a;\"b\nc\";d\n"), ';').lines.size(), 1U);
  EXPECT_EQ(read_all(folder.file("x", "a;\"b\nc\";d\n"), ',').lines.size(), 2U);
  EXPECT_EQ(read_all(folder.file("x", "{\"a\":\"\\\"\"}\n{}\n")).lines.size(), 2U);
}

TEST(LineSource, AQuoteThatIsNeverClosedDoesNotShiftTheNumbers) {
  // One broken record may take a mebibyte with it, but the shop must find the right lines afterwards.
  const TestFolder folder("open_quote");
  std::string csv = "id,text\n1,\"open\n";
  std::int64_t line = 2;
  while (csv.size() < (3U << 20)) {
    csv += std::to_string(++line) + ",word\n";
  }
  const Read read = read_all(folder.file("x", csv), ',');
  ASSERT_FALSE(read.lines.empty());
  EXPECT_EQ(read.too_long, std::vector<std::int64_t>{2});
  for (std::size_t i = 1; i < read.lines.size(); ++i) {
    ASSERT_EQ(read.lines[i], std::to_string(read.numbers[i]) + ",word");
  }
  EXPECT_EQ(read.numbers.back(), line);
}

TEST(LineSource, KnowsWhatAFileBeginsWith) {
  // JSON lines taken for CSV are refused as a whole.
  const TestFolder folder("first");
  const auto first = [&](const std::string& bytes) { return LineSource::open(folder.file("x", bytes)).value()->first_char(); };
  EXPECT_EQ(first(""), '\0');
  EXPECT_EQ(first("\n \r\n"), '\0');
  EXPECT_EQ(first("\n  {\"a\":1}"), '{');
  EXPECT_EQ(first("\xEF\xBB\xBF{}"), '{');
  EXPECT_EQ(first("id,b"), 'i');
  EXPECT_EQ(first(gzip("{}")), '{');
  auto source = LineSource::open(folder.file("x", "\xEF\xBB\xBFid\n1\n")).value();
  EXPECT_EQ(source->first_char(), 'i');
  EXPECT_EQ(source->next().value().lines.front().text, "id");
}

TEST(LineSource, EmptyMissingAndWrongThingsAreSaidPlainly) {
  // "0 events" about a file that is not there looks like success.
  const TestFolder folder("empty");
  for (const std::string& bytes : {std::string(), gzip(""), zstd("")}) {
    const Read read = read_all(folder.file("x", bytes));
    EXPECT_EQ(read.error, "");
    EXPECT_TRUE(read.lines.empty());
  }
  EXPECT_EQ(read_all(folder.file("x", "\n\r\n\n")).lines.size(), 0U);
  EXPECT_EQ(read_all(folder.file("x", "ab")).lines, std::vector<std::string>{"ab"});
  EXPECT_EQ(LineSource::open(folder.path + "/none").error().code, base::ErrorCode::kNotFound);
  EXPECT_EQ(LineSource::open(folder.path).error().code, base::ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace beckon::table
