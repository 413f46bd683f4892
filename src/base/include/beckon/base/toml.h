#pragma once
// Configuration files in TOML 1.0. Every key must be asked for: finish() names the ones nobody read, with the nearest valid
// key, so that a typing error never passes as a default.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::base {

struct TomlNode;

/// Bounds of a number; both ends belong to the range.
struct Range {
  double from = -1e300;
  double to = 1e300;
};

/// One table of a document. Readers collect the first error instead of returning it: read everything, then check finish().
/// Not thread-safe. A copy shares state with its origin.
class TomlTable {
 public:
  /// `file` is used in messages only.
  static Result<TomlTable> parse(std::string_view text, std::string file);

  bool has(std::string_view key) const;
  std::string text(std::string_view key, std::string fallback = {});
  /// Like text(), but the key must be there.
  std::string required_text(std::string_view key);
  std::int64_t integer(std::string_view key, std::int64_t fallback, Range range = {});
  double real(std::string_view key, double fallback, Range range = {});
  bool boolean(std::string_view key, bool fallback);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback = {});
  /// A number or a text as written, for amounts: 12.5 and "12.50" both arrive as text.
  std::string amount(std::string_view key, std::string fallback = {});
  /// One of `allowed`; anything else is an error that lists them, and the answer is the fallback.
  std::string choice(std::string_view key,
                     const std::vector<std::string>& allowed,
                     std::string fallback);

  /// Sub-table, empty when absent. Its own unknown keys are found by the root's finish().
  TomlTable table(std::string_view key);
  std::vector<TomlTable> tables(std::string_view key);
  /// Keys in file order; they count as asked for.
  std::vector<std::string> keys();

  /// Records an error about `key` of this table, with file and line.
  void fail(std::string_view key, std::string_view problem);
  /// First problem found, or the first key that nobody asked for.
  Status finish() const;
  /// "beckon.toml:12: [channel.email] transport"
  std::string where(std::string_view key) const;

 private:
  explicit TomlTable(std::shared_ptr<TomlNode> node) : node_(std::move(node)) {}
  std::shared_ptr<TomlNode> node_;
};

/// The candidate nearest to `word` by edit distance, or empty when none is near (more than a third of its length away).
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace beckon::base
