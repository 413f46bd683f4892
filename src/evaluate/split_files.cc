#include "beckon/base/csv.h"
#include "beckon/evaluate/protocol.h"

namespace beckon::evaluate {

base::Status write_split(const Data& data, const Split& cut, base::FileSystem& files, const std::string& folder) {
  const features::Vocabulary& vocabulary = data.set.vocabulary;
  std::string history = "customer,item,at_ms\n";
  for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
    const auto& steps = data.set.histories[h].steps;
    for (std::size_t i = 0; i < cut.known_until[h]; ++i) {
      const std::string at = data.timed ? std::to_string(steps[i].at_ms) : std::to_string(i);
      history += std::to_string(h) + "," + base::csv_field(vocabulary.item(steps[i].token)) + "," + at + "\n";
    }
  }
  std::string test = "customer,item\n";
  for (const Case& one : cut.test) {
    const auto h = one.history - data.set.histories.data();
    for (const std::int32_t token : one.wanted) {
      test += std::to_string(h) + "," + base::csv_field(vocabulary.item(token)) + "\n";
    }
  }
  BECKON_TRY_STATUS(files.make_dirs(folder));
  BECKON_TRY_STATUS(files.write_atomic(folder + "/history.csv", history));
  return files.write_atomic(folder + "/test.csv", test);
}

}  // namespace beckon::evaluate
