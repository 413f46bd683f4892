#pragma once
// What tests of files share, also those of the engine: folders that go away, files plain and compressed.

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace beckon::table {

struct TestFolder {
  std::string path;
  explicit TestFolder(const std::string& name)
      : path(testing::TempDir() + "/beckon_" + name + "_" + std::to_string(::getpid())) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string file(const std::string& name, const std::string& bytes) const {
    const std::string where = path + "/" + name;
    std::ofstream(where, std::ios::binary) << bytes;
    return where;
  }
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

/// One frame, flushed after every `block` bytes: blocks of odd sizes, no checksum behind them.
inline std::string zstd(const std::string& bytes, std::size_t block = 100'000) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string out(ZSTD_compressBound(bytes.size()) + bytes.size() / block * 64 + 1024, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (std::size_t at = 0; at < bytes.size() || at == 0; at += block) {
    ZSTD_inBuffer in{bytes.data() + at, std::min(block, bytes.size() - at), 0};
    const bool last = at + block >= bytes.size();
    EXPECT_EQ(ZSTD_compressStream2(context, &to, &in, last ? ZSTD_e_end : ZSTD_e_flush), 0U);
    if (last) {
      break;
    }
  }
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

}  // namespace beckon::table
