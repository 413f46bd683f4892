#pragma once
// What the engine's tests share: shops made from templates, and the files of table's tests.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "beckon/engine/engine.h"
#include "beckon/engine/holder.h"
#include "test_files.h"

namespace beckon::engine {

using table::bytes_of;
using table::gzip;
using table::TestFolder;
using table::zstd;

constexpr const char* kAsOf = "2026-02-01T12:00:00Z";

/// A shop of a template, with a clock that stands on 2026-02-01. `key`: 64 hex digits, so that pseudonyms, their order and what is trained on
/// them are the same in every run; empty: a new one.
struct TestShop {
  TestFolder folder;
  explicit TestShop(const std::string& template_name = "segment", const std::string& key = "") : folder("shop_" + template_name) {
    base::PosixFileSystem files;
    const auto made = init_shop(files, {folder.path, template_name, key.empty() ? "" : folder.file("given.key", key + "\n")});
    EXPECT_TRUE(made.ok()) << made.error().message;
  }
  OpenOptions options() const {
    OpenOptions out;
    out.folder = folder.path;
    out.as_of = base::parse_time(kAsOf, base::Zone::utc()).value();
    out.command = "test";
    out.quiet = true;
    return out;
  }
  std::unique_ptr<Context> open() const {
    auto context = open_shop(options());
    EXPECT_TRUE(context.ok()) << context.error().message;
    return std::move(context).value();
  }
  void append_config(const std::string& text) const { std::ofstream(folder.path + "/beckon.toml", std::ios::app) << text; }
  /// Every file of the shop that holds `needle`.
  std::vector<std::string> files_with(const std::string& needle) const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path)) {
      if (entry.is_regular_file() && bytes_of(entry.path().string()).find(needle) != std::string::npos) {
        out.push_back(std::filesystem::relative(entry.path(), folder.path).string());
      }
    }
    return out;
  }
};

/// Ingest that must work; the counts.
inline base::Json ingest_ok(Context& context, const std::vector<std::string>& files) {
  const auto counts = ingest(context, files);
  EXPECT_TRUE(counts.ok()) << counts.error().message;
  return counts.ok() ? *counts : base::Json();
}

}  // namespace beckon::engine
