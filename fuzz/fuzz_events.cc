// Lines of a shop's files: JSON of the three forms, CSV rows, stored records. Whatever parses must survive its own encoding.
#include <cstdint>
#include <string_view>

#include "beckon/events/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  events::ParseOptions options;
  options.now = {1'780'000'000'000};
  events::JsonLineParser parser(options);
  BECKON_CHECK(!parser.parse(bytes).empty());
  events::CsvMapping mapping;
  mapping.user_id = "u";
  mapping.time = "t";
  mapping.item = "i";
  mapping.price = "p";
  mapping.quantity = "q";
  const auto csv = events::CsvParser::make(mapping, "u,t,i,p,q", options);
  const auto parsed = csv.value().parse(bytes);
  BECKON_CHECK(parsed.index() <= 1);
  const auto event = events::decode(bytes, {}, {});
  if (event.ok()) {
    BECKON_CHECK(events::decode(events::encode(*event), {}, {}).value() == *event);
  }
  return 0;
}
