#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <unordered_map>

#include "beckon/base/clock.h"
#include "beckon/base/codec.h"
#include "beckon/base/csv.h"
#include "beckon/table/table.h"

namespace beckon::table {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kShareOfKind = 0.95;  // of the filled cells: a few typing errors do not turn prices into names
constexpr std::size_t kRejectsNamed = 100;

bool is_missing(std::string_view cell) {
  constexpr std::string_view kWords[] = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "."};
  return std::ranges::find(kWords, cell) != std::end(kWords);
}

bool number_in(std::string_view cell, double& out) {
  cell.remove_prefix(cell.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), out);
  return error == std::errc{} && end == cell.data() + cell.size() && !cell.empty();
}

bool date_in(std::string_view cell, double& out) {
  // The cheap look first: most texts are no dates.
  if (cell.size() < 10 || cell[4] != '-' || cell[7] != '-') {
    return false;
  }
  const auto at = base::parse_time(cell, base::Zone::utc());
  out = at.ok() ? static_cast<double>(at->ms) : 0;
  return at.ok();
}

// Fills one column under a guess of its kind, and counts what the guess should have been.
class Builder {
 public:
  Builder(std::string name, Kind kind, bool fixed) : column_{std::move(name), kind}, fixed_(fixed) {
    if (kind == Kind::kCategory) {
      column_.labels.emplace_back();
    }
  }

  void add(std::string_view cell, std::int64_t line) {
    if (is_missing(cell)) {
      ++column_.missing;
      push(kMissing, 0);
      return;
    }
    double number = 0;
    double date = 0;
    const bool numeric = number_in(cell, number);
    const bool dated = !numeric && date_in(cell, date);
    numbers_ += numeric ? 1 : 0;
    dates_ += dated ? 1 : 0;
    ++filled_;
    if (column_.kind == Kind::kCategory) {
      push(0, code_of(cell));
      return;
    }
    const bool fits = column_.kind == Kind::kNumber ? numeric && std::isfinite(number) : dated;
    if (!fits) {
      ++column_.unreadable;
      column_.first_unreadable_line = column_.first_unreadable_line == 0 ? line : column_.first_unreadable_line;
    }
    push(!fits ? kMissing : column_.kind == Kind::kNumber ? number : date, 0);
  }

  // What the cells seen so far say.
  Kind kind() const {
    if (fixed_) {
      return column_.kind;
    }
    const double bar = kShareOfKind * static_cast<double>(filled_);
    if (static_cast<double>(numbers_) >= bar) {
      return Kind::kNumber;
    }
    return static_cast<double>(dates_) >= bar ? Kind::kDate : Kind::kCategory;
  }
  bool guessed_right() const { return kind() == column_.kind; }
  Column take() { return std::move(column_); }

 private:
  void push(double number, std::uint32_t code) {
    if (column_.kind == Kind::kCategory) {
      column_.codes.push_back(code);
    } else {
      column_.numbers.push_back(number);
    }
  }
  std::uint32_t code_of(std::string_view cell) {
    const auto [at, fresh] = codes_.try_emplace(std::string(cell), static_cast<std::uint32_t>(column_.labels.size()));
    if (fresh) {
      column_.labels.emplace_back(cell);
    }
    return at->second;
  }

  Column column_;
  bool fixed_;
  std::unordered_map<std::string, std::uint32_t> codes_;
  std::int64_t filled_ = 0;
  std::int64_t numbers_ = 0;
  std::int64_t dates_ = 0;
};

char delimiter_of(std::string_view header) {
  char best = ',';
  for (const char c : {';', '\t'}) {
    best = std::ranges::count(header, c) > std::ranges::count(header, best) ? c : best;
  }
  return best;
}

// Calls back with every line, until the answer is false.
using Visit = std::function<bool(const Line&)>;
using Lines = std::function<base::Status(char csv_delimiter, const Visit& visit)>;

class Reader {
 public:
  Reader(std::string name, const ReadOptions& options) : name_(std::move(name)), options_(options) {}

  base::Result<Table> read(const Lines& lines) {
    // Where a record ends depends on the separator, and that on the first line.
    BECKON_TRY_STATUS(lines('\0', [this](const Line& line) {
      delimiter_ = delimiter_of(line.text);
      return false;
    }));
    for (;;) {
      restart();
      BECKON_TRY_STATUS(lines(delimiter_, [this](const Line& line) {
        take(line);
        return problem_.ok();
      }));
      BECKON_TRY_STATUS(problem_);
      if (names_.empty()) {
        return base::invalid_argument(name_ + " is empty: its first line must name the columns");
      }
      // The guess is from the rows before; where all rows say something else they are read again.
      kinds_.clear();
      for (const Builder& builder : builders_) {
        kinds_.push_back(builder.kind());
      }
      if (std::ranges::all_of(builders_, &Builder::guessed_right)) {
        break;
      }
    }
    std::vector<Column> columns;
    for (Builder& builder : builders_) {
      columns.push_back(builder.take());
    }
    Table out(std::move(columns), name_);
    out.rejected = rejected_;
    out.rejects = std::move(rejects_);
    return out;
  }

 private:
  void restart() {
    names_.clear();
    kept_.clear();
    builders_.clear();
    rejected_ = 0;
    rejects_.clear();
  }

  void take(const Line& line) {
    if (names_.empty()) {
      problem_ = line.too_long ? base::Status(base::invalid_argument(name_ + ": the first line is longer than a mebibyte")) : header(line.text);
      return;
    }
    if (line.too_long) {
      reject(line.number, "longer than a mebibyte");
      return;
    }
    const base::CsvRecord record = base::split_csv(line.text, delimiter_);
    if (!record.complete || record.fields.size() != names_.size()) {
      reject(line.number, record.complete ? std::to_string(record.fields.size()) + " fields where the header names " + std::to_string(names_.size())
                                          : "a quoted field does not end");
      return;
    }
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      builders_[i].add(base::trimmed(record.fields[kept_[i]]), line.number);
    }
  }

  base::Status header(std::string_view text) {
    text.remove_prefix(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    std::vector<std::string> names = base::split_csv(text, delimiter_).fields;
    for (std::size_t i = 0; i < names.size(); ++i) {
      names[i] = base::trimmed(names[i]);
      if (!base::is_utf8(names[i])) {
        return base::invalid_argument(name_ + ": the name of column " + std::to_string(i + 1) + " is no text: save the file as UTF-8");
      }
      if (names[i].empty()) {
        names[i] = "column_" + std::to_string(i + 1);
      }
      if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) != names.begin() + static_cast<std::ptrdiff_t>(i)) {
        return base::invalid_argument(name_ + ": two columns are named '" + names[i] + "': rename one");
      }
    }
    names_ = names;
    return choose();
  }

  base::Status choose() {
    std::vector<Column> all;
    for (const std::string& name : names_) {
      all.push_back({name});
    }
    const Table header(std::move(all), name_);
    for (const std::string& wanted : options_.columns) {
      BECKON_TRY([[maybe_unused]] const Column* found, header.find(wanted));
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (options_.columns.empty() || std::ranges::find(options_.columns, names_[i]) != options_.columns.end()) {
        kept_.push_back(i);
        const Kind guess = kinds_.empty() ? Kind::kNumber : kinds_[kept_.size() - 1];
        builders_.emplace_back(names_[i], options_.as_text ? Kind::kCategory : guess, options_.as_text);
      }
    }
    return base::ok_status();
  }

  void reject(std::int64_t line, std::string reason) {
    ++rejected_;
    if (rejects_.size() < kRejectsNamed) {
      rejects_.push_back({line, std::move(reason)});
    }
  }

  std::string name_;
  const ReadOptions& options_;
  char delimiter_ = ',';
  std::vector<std::string> names_;
  std::vector<std::size_t> kept_;  // places of the columns that are read
  std::vector<Builder> builders_;
  std::vector<Kind> kinds_;  // of the last pass; empty: none yet
  std::int64_t rejected_ = 0;
  std::vector<RejectedRow> rejects_;
  base::Status problem_ = base::ok_status();
};

base::Status visit_file(const std::string& path, char csv_delimiter, const Visit& visit) {
  auto source = LineSource::open(path);
  if (!source.ok()) {
    return source.error();
  }
  for (;;) {
    auto block = (*source)->next(csv_delimiter);
    if (!block.ok()) {
      return block.error().at(path);
    }
    if (block->lines.empty() || !std::ranges::all_of(block->lines, visit)) {
      return base::ok_status();
    }
  }
}

base::Status visit_text(std::string_view text, char csv_delimiter, const Visit& visit) {
  std::size_t at = 0;
  for (std::int64_t number = 1; at < text.size(); ++number) {
    base::OpenQuote quotes(csv_delimiter);
    std::size_t end = at;
    for (; end < text.size() && (text[end] != '\n' || quotes.open()); ++end) {
      quotes.see(text[end]);
    }
    std::string_view line = text.substr(at, end - at);
    line.remove_suffix(line.ends_with('\r') ? 1 : 0);
    if (!line.empty() && !visit(Line{number, line, false})) {
      break;
    }
    at = end + 1;
  }
  return base::ok_status();
}

}  // namespace

base::Result<Table> read_table(const std::string& path, const ReadOptions& options) {
  const auto lines = [&](char csv_delimiter, const Visit& visit) { return visit_file(path, csv_delimiter, visit); };
  return Reader(path.substr(path.rfind('/') + 1), options).read(lines);
}

base::Result<Table> parse_table(std::string_view text, const std::string& name, const ReadOptions& options) {
  const auto lines = [&](char csv_delimiter, const Visit& visit) { return visit_text(text, csv_delimiter, visit); };
  return Reader(name, options).read(lines);
}

}  // namespace beckon::table
