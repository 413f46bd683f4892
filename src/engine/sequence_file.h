#pragma once
// Private to engine: files of sequences.

#include <cstdint>
#include <string>
#include <vector>

#include "beckon/evaluate/evaluate.h"

namespace beckon::engine {

struct RejectedSequence {
  std::int64_t line = 0;
  std::string reason;
};

struct SequenceFile {
  evaluate::Data data;
  std::vector<RejectedSequence> rejected;
  std::int64_t lines = 0;
};

/// invalid_argument when no line can be read; not_found and others as from the disk.
base::Result<SequenceFile> read_sequences(const std::string& path);

}  // namespace beckon::engine
