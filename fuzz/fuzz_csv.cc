// CSV as written by anybody: records of any shape, mapped by any of our readers. Whatever is written must be read back the same.
#include <cstdint>
#include <string_view>

#include "beckon/base/csv.h"
#include "beckon/events/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char delimiter : {',', ';', '\t'}) {
    const base::CsvRecord record = base::split_csv(bytes, delimiter);
    BECKON_CHECK(!record.fields.empty());
    // Fields that a spreadsheet would run get an apostrophe: written twice they must not change again.
    std::vector<std::string> safe = base::split_csv(base::csv_line(record.fields, delimiter), delimiter).fields;
    BECKON_CHECK(safe.size() == record.fields.size());
    BECKON_CHECK(base::split_csv(base::csv_line(safe, delimiter), delimiter).fields == safe);
  }
  // First line: the header; the rest: records.
  events::CsvMapping mapping;
  mapping.user_id = "u";
  mapping.anonymous_id = "a";
  mapping.time = "t";
  mapping.event = "e";
  mapping.item = "i";
  mapping.price = "p";
  mapping.quantity = "q";
  mapping.currency = "c";
  mapping.order_id = "o";
  mapping.cancel_prefix = "S";
  mapping.price_is_line_total = true;
  mapping.trait_columns = {{"email", "m"}};
  mapping.event_types = {{"buy", events::EventType::kPurchase}};
  events::ParseOptions options;
  options.now = {1'780'000'000'000};
  options.currency = base::Currency::parse("EUR").value();
  const std::size_t head = bytes.find('\n');
  if (const auto own = events::CsvParser::make(mapping, bytes.substr(0, head), options); own.ok() && head != std::string_view::npos) {
    BECKON_CHECK(own->parse(bytes.substr(head + 1)).index() <= 1);
  }
  const auto fixed = events::CsvParser::make(mapping, "u,a,t,e,i,p,q,c,o,m", options).value().parse(bytes);
  if (const auto* event = std::get_if<events::RawEvent>(&fixed)) {
    BECKON_CHECK(event->at.ms <= options.now.ms + base::kDayMs);
    for (const auto& line : event->items) {
      BECKON_CHECK(line.quantity > 0 && !line.unit_price.is_negative());
    }
  }
  return 0;
}
