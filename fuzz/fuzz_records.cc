// Stored records with damage of every kind. The checksum is put right, so that the readers behind it are reached; what is read must
// survive its own encoding.
#include <cstdint>
#include <string_view>

#include "beckon/base/codec.h"
#include "beckon/catalog/item.h"
#include "beckon/events/records.h"
#include "beckon/store/people.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  for (const std::string& bytes : {std::string(raw), base::seal(raw)}) {
    if (const auto decision = events::decode_decision(bytes, {}); decision.ok()) {
      const std::string again = events::encode(*decision);
      BECKON_CHECK(events::encode(events::decode_decision(again, {}).value()) == again);
      BECKON_CHECK(!events::to_json(*decision).empty());
    }
    if (const auto delivery = events::decode_delivery(bytes, {}); delivery.ok()) {
      const std::string again = events::encode(*delivery);
      BECKON_CHECK(events::encode(events::decode_delivery(again, {}).value()) == again);
      BECKON_CHECK(!events::to_json(*delivery).empty());
    }
    if (const auto item = catalog::decode_item(bytes); item.ok()) {
      BECKON_CHECK(catalog::decode_item(catalog::encode(*item)).value() == *item);
    }
    if (const auto profile = store::decode_profile(bytes); profile.ok()) {
      BECKON_CHECK(store::decode_profile(store::encode(*profile)).value() == *profile);
    }
    if (const auto event = events::decode(bytes, {}, {}); event.ok()) {
      BECKON_CHECK(events::decode(events::encode(*event), {}, {}).value() == *event);
    }
  }
  return 0;
}
