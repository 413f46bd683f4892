// Plan files as edited by anybody. The seal is put right here, so that the reader behind it is reached; what is read can be written
// and read again, and a file without its seal is refused.
#include <cstdint>
#include <string_view>

#include "beckon/decide/plan_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  static const auto kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  std::string text(reinterpret_cast<const char*>(data), size);
  BECKON_CHECK(!decide::read_plan(text, "plan", kRing).ok());
  if (text.empty() || text.back() != '\n') {
    text.push_back('\n');
  }
  text += base::to_line({{"seal", kRing.seal_of(text)}}) + "\n";
  const auto plan = decide::read_plan(text, "plan", kRing);
  if (!plan.ok()) {
    BECKON_CHECK(!plan.error().message.empty());
    return 0;
  }
  const std::string written = decide::write_plan(*plan, kRing);
  const auto again = decide::read_plan(written, "plan", kRing);
  BECKON_CHECK(again.ok());
  BECKON_CHECK(again->plan.decisions.size() == plan->plan.decisions.size());
  BECKON_CHECK(decide::write_plan(*again, kRing) == written);
  BECKON_CHECK(!decide::plan_csv(plan->plan).empty() || plan->plan.decisions.empty());
  return 0;
}
