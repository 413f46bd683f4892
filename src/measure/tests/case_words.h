#pragma once
// What the golden cases share: lines of words that set something up, and lines that say what must come out.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "beckon/events/events.h"

namespace beckon::measure {

inline const privacy::KeyRing& ring() {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing;
}
inline base::Money euro(const std::string& text) { return base::Money::parse(text, base::Currency::parse("EUR").value()).value(); }

constexpr std::int64_t kPlannedMs = 1'000'000'000'000;

// The words of one line after its verb, read in pairs or alone.
class Words {
 public:
  explicit Words(const std::string& line) : in_(line) {}
  std::string next() {
    std::string word;
    in_ >> word;
    return word;
  }
  // "2d", "3h", "90m", "5s" after the plan; "-1d" before it; "7d+1ms" and "7d-1ms" for the edges.
  base::Instant time() {
    static const std::map<std::string, std::int64_t> kUnits{
        {"d", base::kDayMs}, {"h", base::kHourMs}, {"m", base::kMinuteMs}, {"s", 1000}, {"ms", 1}};
    std::istringstream parts(next());
    std::int64_t at_ms = kPlannedMs;
    for (std::int64_t amount = 0; parts >> amount;) {
      std::string unit;
      while (std::isalpha(parts.peek()) != 0) {
        unit.push_back(static_cast<char>(parts.get()));
      }
      EXPECT_TRUE(kUnits.contains(unit)) << "no unit of time is called '" << unit << "'";
      at_ms += amount * kUnits.at(unit);
    }
    return {at_ms};
  }

 private:
  std::istringstream in_;
};

inline events::EventType type_of(const std::string& name) {
  for (std::uint8_t value = 1; value <= events::kEventTypeMax; ++value) {
    if (events::to_text(static_cast<events::EventType>(value)) == name) {
      return static_cast<events::EventType>(value);
    }
  }
  ADD_FAILURE() << "no event is called " << name;
  return events::EventType::kOther;
}

inline std::string money(std::int64_t minor) { return base::Money(minor, base::Currency::parse("EUR").value()).amount_string(); }

/// Every expectation is one of the lines that were said; one that begins with "not" is none of them.
inline void expect_said(const std::string& file, const std::vector<std::string>& expectations, const std::vector<std::string>& said) {
  ASSERT_FALSE(expectations.empty()) << file << " expects nothing: it could never fail";
  for (const auto& expected : expectations) {
    const bool absent = expected.starts_with("not ");
    const bool found = std::find(said.begin(), said.end(), absent ? expected.substr(4) : expected) != said.end();
    EXPECT_NE(found, absent) << file << "\nexpected: " << expected << "\ngot:\n  " << testing::PrintToString(said);
  }
}

/// All cases in a folder beside this file, and the name of one.
inline std::vector<std::string> case_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(BECKON_SOURCE_DIR) + "/src/measure/tests/" + folder)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string case_name(const testing::TestParamInfo<std::string>& one) { return std::filesystem::path(one.param).stem().string(); }

}  // namespace beckon::measure
