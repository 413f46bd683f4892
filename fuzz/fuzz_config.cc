// beckon.toml and campaign files, amounts, times and checksummed records as written by anybody.
#include <cstdint>
#include <string_view>

#include "beckon/base/base.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon::base;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto table = TomlTable::parse(bytes, "fuzz.toml"); table.ok()) {
    table->text("shop");
    table->table("channel").integer("cap", 3, {0, 10});
    BECKON_CHECK(table->finish().ok() || !table->finish().error().message.empty());
  }
  const auto currency = Currency::parse("EUR").value();
  if (const auto money = Money::parse(bytes, currency); money.ok()) {
    BECKON_CHECK(Money::parse(money->amount_string(), currency).value() == *money);
  }
  if (const auto at = parse_time(bytes, Zone::utc()); at.ok()) {
    BECKON_CHECK(parse_time(format_time(*at), Zone::utc()).value() == *at);
  }
  BECKON_CHECK(open_sealed(seal(bytes)).value() == bytes);
  return 0;
}
