#include "beckon/base/json.h"
#include "beckon/deliver/transport.h"

namespace beckon::deliver {
namespace {

class FileTransport final : public Transport {
 public:
  FileTransport(base::FileSystem& files, std::string path, std::unique_ptr<base::AppendFile> out)
      : files_(files), path_(std::move(path)), out_(std::move(out)) {}

  std::vector<Receipt> send(std::span<const Parcel> parcels) override {
    std::string bytes;
    for (const auto& parcel : parcels) {
      bytes += parcel.payload + "\n";
    }
    base::Status status = out_->append(bytes);
    if (status.ok()) {
      status = out_->sync();
    }
    // A write that failed half-way may have left some lines: unknown, and already_sent() finds out.
    const Receipt receipt = status.ok() ? Receipt{} : Receipt{Answer::kUnknown, status.error().message, 0};
    return std::vector<Receipt>(parcels.size(), receipt);
  }

  base::Result<std::set<std::string>> already_sent(const std::set<std::string>& ids) override {
    std::set<std::string> found;
    if (!files_.exists(path_)) {
      return found;
    }
    BECKON_TRY(const std::string text, files_.read(path_));
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const auto line = base::parse_json(std::string_view(text).substr(at, end - at));
      const std::string id = line.ok() ? base::string_or(*line, "id") : std::string();
      if (ids.contains(id)) {
        found.insert(id);
      }
      at = end + 1;
    }
    return found;
  }

 private:
  base::FileSystem& files_;
  std::string path_;
  std::unique_ptr<base::AppendFile> out_;
};

}  // namespace

base::Result<std::unique_ptr<Transport>> open_file_transport(base::FileSystem& files, const std::string& path) {
  if (files.exists(path)) {
    BECKON_TRY(const std::string text, files.read(path));
    const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole < text.size()) {
      BECKON_TRY_STATUS(files.write_atomic(path, std::string_view(text).substr(0, whole)));
    }
  }
  BECKON_TRY(auto out, files.open_append(path));
  return std::unique_ptr<Transport>(std::make_unique<FileTransport>(files, path, std::move(out)));
}

}  // namespace beckon::deliver
