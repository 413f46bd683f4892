// What is written to disk must come back bit by bit, and damage must be seen.
#include "beckon/base/codec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "beckon/base/rng.h"

namespace beckon::base {
namespace {

TEST(Codec, EveryNumberComesBack) {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t wide = rng.next_u64() >> rng.below(64);
    const auto narrow = static_cast<std::int64_t>(rng.next_u64()) >> rng.below(64);
    Writer writer;
    writer.varint(wide);
    writer.zigzag(narrow);
    writer.be64(wide);
    writer.real(static_cast<double>(narrow) / 3);
    writer.text("päckchen");
    const std::string bytes = writer.take();
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), wide);
    EXPECT_EQ(reader.zigzag(), narrow);
    EXPECT_EQ(reader.be64(), wide);
    EXPECT_EQ(reader.real(), static_cast<double>(narrow) / 3);
    EXPECT_EQ(reader.text(), "päckchen");
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.failed());
    // Every truncation is noticed.
    Reader cut(std::string_view(bytes).substr(0, rng.below(bytes.size())));
    cut.varint();
    cut.zigzag();
    cut.be64();
    cut.real();
    cut.text();
    EXPECT_TRUE(cut.failed());
  }
}

TEST(Codec, RefusesOverlongVarintsAndHugeLengths) {
  Reader overlong(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10));
  overlong.varint();
  EXPECT_TRUE(overlong.failed());
  Writer writer;
  writer.varint(std::numeric_limits<std::uint64_t>::max());
  Reader huge(writer.view());
  EXPECT_EQ(huge.text(), "");
  EXPECT_TRUE(huge.failed());
}

TEST(Codec, ChecksumIsCastagnoliAndFindsEveryFlippedBit) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);  // check value of CRC-32C
  const std::string sealed = seal("a promise kept");
  EXPECT_EQ(open_sealed(sealed).value(), "a promise kept");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string broken = sealed;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(open_sealed(broken).error().code, ErrorCode::kDataLoss);
  }
  EXPECT_FALSE(open_sealed("abc").ok());
}

TEST(Codec, HexAndBase64RoundTrip) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(from_base64(to_base64(text)).value(), text);
    EXPECT_EQ(from_hex(to_hex(text)).value(), text);
  }
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");  // RFC 4648
  EXPECT_FALSE(from_hex("0g").ok());
  EXPECT_FALSE(from_base64("a*b").ok());
}

TEST(Codec, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("限时优惠 £ 😀"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));          // overlong
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(is_utf8("abc\xe9"));
}

}  // namespace
}  // namespace beckon::base
