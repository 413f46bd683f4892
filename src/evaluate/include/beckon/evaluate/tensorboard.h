#pragma once
// Event files that TensorBoard reads: TFRecord frames of Event messages with scalars.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/filesystem.h"
#include "beckon/model/train.h"

namespace beckon::evaluate {

/// Not thread-safe. Each write is synced: a run that is killed keeps its curves.
class TensorBoardLog {
 public:
  /// Makes FOLDER/events.out.tfevents.SECONDS.beckon; a run that goes on writes a second file, which TensorBoard joins.
  static base::Result<TensorBoardLog> open(base::FileSystem& files, const std::string& folder, const base::Clock& clock);
  base::Status scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);
  /// train/loss, train/tokens_per_second, validation/ndcg@10, validation/hr@10 at the epoch.
  base::Status epoch(const model::EpochReport& report);

 private:
  TensorBoardLog(std::unique_ptr<base::AppendFile> file, const base::Clock& clock) : file_(std::move(file)), clock_(&clock) {}
  base::Status append(std::string_view event);
  std::unique_ptr<base::AppendFile> file_;
  const base::Clock* clock_;
};

/// One TFRecord: length, its masked CRC-32C, payload, its masked CRC-32C.
std::string tf_record(std::string_view payload);

}  // namespace beckon::evaluate
