#include "sequence_file.h"

#include <charconv>
#include <unordered_map>

#include "beckon/base/codec.h"
#include "beckon/table/lines.h"

namespace beckon::engine {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view next_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  rest.remove_prefix(begin);
  const auto end = std::min(rest.find_first_of(kBlanks), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::string shown(std::string_view word) {
  std::string out(word.substr(0, 24));
  for (char& c : out) {
    c = c >= 0x20 && c < 0x7f ? c : '?';
  }
  return "'" + out + (word.size() > 24 ? "…'" : "'");
}

class Reader {
 public:
  // Empty, or why the line cannot be read.
  std::string add(std::string_view line, std::int64_t number) {
    std::string_view rest = line;
    const std::string_view user = next_word(rest);
    if (user.empty()) {
      return "empty";
    }
    if (!base::is_utf8(user)) {
      return "the user " + shown(user) + " is no text";
    }
    std::uint64_t id = 0;
    const auto [first, fresh] = users_.try_emplace(std::string(user), number);
    if (!fresh) {
      return "the user " + shown(user) + " stands in line " + std::to_string(first->second) + " already";
    }
    features::History history;
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
      if (!number_of(word, id)) {
        users_.erase(first);
        return "the item " + shown(word) + " is no whole number";
      }
      history.steps.push_back({0, token_of(id), features::StepType::kPurchase});
    }
    histories_.push_back(std::move(history));
    return {};
  }

  features::Dataset take() {
    features::Dataset set;
    set.histories = std::move(histories_);
    set.vocabulary = features::Vocabulary(std::move(names_));
    return set;
  }
  bool empty() const { return histories_.empty(); }

 private:
  static bool number_of(std::string_view word, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return error == std::errc() && end == word.data() + word.size();
  }
  std::int32_t token_of(std::uint64_t id) {
    const auto [found, added] = tokens_.try_emplace(id, static_cast<std::int32_t>(names_.size()) + 1);
    if (added) {
      names_.push_back(std::to_string(id));
    }
    return found->second;
  }
  std::unordered_map<std::string, std::int64_t> users_;  // → line
  std::unordered_map<std::uint64_t, std::int32_t> tokens_;
  std::vector<std::string> names_;
  std::vector<features::History> histories_;
};

}  // namespace

base::Result<SequenceFile> read_sequences(const std::string& path) {
  BECKON_TRY(auto source, table::LineSource::open(path));
  SequenceFile out;
  Reader reader;
  for (;;) {
    auto block = source->next();
    if (!block.ok()) {
      return block.error().at(path);
    }
    if (block->lines.empty()) {
      break;
    }
    for (const table::Line& line : block->lines) {
      ++out.lines;
      std::string problem = line.too_long ? "longer than a mebibyte" : reader.add(line.text, line.number);
      if (!problem.empty()) {
        out.rejected.push_back({line.number, std::move(problem)});
      }
    }
  }
  if (reader.empty()) {
    const std::string why = out.rejected.empty() ? "it is empty" : "line " + std::to_string(out.rejected.front().line) + ": " + out.rejected.front().reason;
    return base::invalid_argument(path + " holds no sequence: " + why + ". Each line must read 'user item item …', items as whole numbers, oldest first");
  }
  out.data.set = reader.take();
  return out;
}

}  // namespace beckon::engine
