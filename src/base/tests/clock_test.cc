// A wrong offset here sends messages at night.
#include "beckon/base/clock.h"

#include <gtest/gtest.h>

namespace beckon::base {
namespace {

TEST(Clock, ReadsTimesWithAndWithoutOffset) {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z", berlin)->ms, 0);
  EXPECT_EQ(parse_time("1970-01-01T01:00:00", berlin)->ms, 0);
  EXPECT_EQ(parse_time("2026-07-01 12:00", berlin)->ms, parse_time("2026-07-01T10:00:00Z", berlin)->ms);
  EXPECT_EQ(parse_time("2026-07-01T12:00:00.25+02:00", berlin)->ms,
            parse_time("2026-07-01T10:00:00.250Z", berlin)->ms);
  EXPECT_EQ(parse_time("2026-07-01T04:30:00-0530", berlin)->ms, parse_time("2026-07-01T10:00:00Z", berlin)->ms);
  EXPECT_EQ(format_time(*parse_time("2026-07-01T10:00:00.007Z", berlin)), "2026-07-01T10:00:00.007Z");
}

TEST(Clock, RefusesWhatIsNotATime) {
  for (const char* text : {"", "2026", "2026-13-01", "2026-02-30", "2026-01-01T25:00:00", "2026-01-01T10:00:00+99",
                           "2026-01-01T10:00:00.", "01.02.2026", "2026-01-01X10:00"}) {
    EXPECT_FALSE(parse_time(text, Zone::utc()).ok()) << text;
  }
  EXPECT_FALSE(Zone::find("Mars/Olympus").ok());
}

TEST(Clock, LocalTimeGoesThereAndBackOverClockChanges) {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const LocalTime skipped{2026, 3, 29, 2, 30, 0, 0};  // does not exist: 02:00 → 03:00
  EXPECT_EQ(berlin.to_local(berlin.to_instant(skipped)).hour, 3);
  for (std::int64_t hour = 0; hour < 24 * 400; ++hour) {
    const Instant at{1'767'225'600'000 + hour * kHourMs};
    const LocalTime local = berlin.to_local(at);
    const Instant back = berlin.to_instant(local);
    EXPECT_TRUE(back == at || back.plus_ms(kHourMs) == at) << format_time(at);
  }
}

}  // namespace
}  // namespace beckon::base
