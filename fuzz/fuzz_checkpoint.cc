// Model files as written by anybody. Whatever loads must survive its own encoding, bit for bit.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "beckon/model/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  base::MemoryFileSystem files;
  BECKON_CHECK(files.write_atomic("m", std::string_view(reinterpret_cast<const char*>(data), size)).ok());
  const auto model = model::Model::load(files, "m");
  if (!model.ok()) {
    BECKON_CHECK(!model.error().message.empty());
    return 0;
  }
  BECKON_CHECK(model->save(files, "n").ok());
  const auto again = model::Model::load(files, "n").value();
  BECKON_CHECK(again.weights().size() == model->weights().size());
  BECKON_CHECK(std::memcmp(again.weights().data(), model->weights().data(), again.weights().size_bytes()) == 0);
  return 0;
}
