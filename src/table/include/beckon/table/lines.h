#pragma once
// Bytes of a file (plain, gzip, zstd, stdin) → blocks of whole lines, in flat memory whatever the file.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::table {

/// One line or CSV record with its number in the file.
struct Line {
  std::int64_t number = 0;
  std::string_view text;     ///< without the line end; into Block::bytes
  bool too_long = false;     ///< over kLineBytesMax: the text is empty
};

constexpr std::size_t kLineBytesMax = 1 << 20;

/// Move-only: the lines are views into `bytes`, whose address must survive a move (a short std::string's would not).
struct Block {
  Block() = default;
  Block(Block&&) = default;
  Block& operator=(Block&&) = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() = default;
  std::vector<char> bytes;
  std::vector<Line> lines;
};

/// Reads "-" from stdin. Not thread-safe.
class LineSource {
 public:
  /// not_found and permission_denied as from the disk.
  static base::Result<std::unique_ptr<LineSource>> open(const std::string& path);
  virtual ~LineSource() = default;
  /// First byte of the content that is no blank, line end or byte-order mark; '\0' when there is none. Before the first next().
  virtual char first_char() = 0;
  /// Next block of about a mebibyte; no lines: the end. invalid_argument when the compressed bytes are damaged or cut off: what was
  /// read before is good. With a `csv_delimiter` a line end inside a quoted field does not end the record.
  virtual base::Result<Block> next(char csv_delimiter = '\0') = 0;
  virtual std::int64_t bytes_read() const = 0;   ///< of the file as stored
  virtual std::int64_t bytes_total() const = 0;  ///< 0: not known
};

}  // namespace beckon::table
