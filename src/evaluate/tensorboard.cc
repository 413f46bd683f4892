#include "beckon/evaluate/tensorboard.h"

#include "beckon/base/codec.h"
#include "beckon/base/proto.h"

namespace beckon::evaluate {
namespace {

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
constexpr int kEventWallTime = 1;
constexpr int kEventStep = 2;
constexpr int kEventFileVersion = 3;
constexpr int kEventSummary = 5;
constexpr int kSummaryValue = 1;
constexpr int kValueTag = 1;
constexpr int kValueSimple = 2;

// The mask of TFRecord: a CRC of bytes that hold CRCs would be weak.
std::string masked_crc(std::string_view bytes) {
  const std::uint32_t crc = base::crc32c(bytes);
  return base::little_endian_bytes(((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U, 4);
}

double seconds_of(const base::Clock& clock) { return static_cast<double>(clock.now().ms) / 1000; }

}  // namespace

std::string tf_record(std::string_view payload) {
  const std::string length = base::little_endian_bytes(payload.size(), 8);
  return length + masked_crc(length) + std::string(payload) + masked_crc(payload);
}

base::Result<TensorBoardLog> TensorBoardLog::open(base::FileSystem& files, const std::string& folder, const base::Clock& clock) {
  BECKON_TRY_STATUS(files.make_dirs(folder));
  const std::string name = folder + "/events.out.tfevents." + std::to_string(clock.now().ms / 1000) + ".beckon";
  BECKON_TRY(auto file, files.open_append(name));
  TensorBoardLog log(std::move(file), clock);
  base::ProtoWriter event;
  event.real(kEventWallTime, seconds_of(clock));
  event.bytes(kEventFileVersion, "brain.Event:2");
  BECKON_TRY_STATUS(log.append(event.view()));
  return log;
}

base::Status TensorBoardLog::append(std::string_view event) {
  BECKON_TRY_STATUS(file_->append(tf_record(event)));
  return file_->sync();
}

base::Status TensorBoardLog::scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  base::ProtoWriter summary;
  for (const auto& [tag, number] : values) {
    base::ProtoWriter value;
    value.bytes(kValueTag, tag);
    value.real(kValueSimple, static_cast<float>(number));
    summary.bytes(kSummaryValue, value.view());
  }
  base::ProtoWriter event;
  event.real(kEventWallTime, seconds_of(*clock_));
  event.integer(kEventStep, step);
  event.bytes(kEventSummary, summary.view());
  return append(event.view());
}

base::Status TensorBoardLog::epoch(const model::EpochReport& report) {
  return scalars(report.epoch, {{"train/loss", report.train_loss},
                                {"train/tokens_per_second", report.positions_per_second},
                                {"validation/ndcg@10", report.validation_ndcg10},
                                {"validation/hr@10", report.validation_hit10}});
}

}  // namespace beckon::evaluate
