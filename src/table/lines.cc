// The only user of zlib and zstd: streams of bytes behind one reader.
#include "beckon/table/lines.h"

#include "beckon/base/check.h"
#include "beckon/base/csv.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>

namespace beckon::table {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kPieceBytes = 256 << 10;

class RawFile {
 public:
  explicit RawFile(int fd) : fd_(fd) {}
  ~RawFile() {
    if (fd_ > 0) {
      ::close(fd_);
    }
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  // 0 at the end.
  base::Result<std::size_t> read(char* out, std::size_t size) {
    for (;;) {
      const ssize_t got = ::read(fd_, out, size);
      if (got >= 0) {
        total_ += got;
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        return base::unavailable("reading failed: " + std::string(std::strerror(errno)));
      }
    }
  }
  std::int64_t total() const { return total_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  std::int64_t total_ = 0;
};

// Appends decoded bytes to `out`; false at the end.
using Decoder = std::function<base::Result<bool>(std::string& out)>;

base::Error damaged(const char* what) {
  return base::invalid_argument(std::string(what) + " is damaged or cut off: get the whole file and run again; what came before is taken in");
}

class Gzip {
 public:
  explicit Gzip(RawFile& file, std::string head) : file_(file), input_(std::move(head)) {
    BECKON_CHECK(inflateInit2(&stream_, 15 + 32) == Z_OK);
  }
  ~Gzip() { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  base::Result<bool> decode(std::string& out) {
    if (at_ == input_.size()) {
      input_.resize(kPieceBytes);
      at_ = 0;
      BECKON_TRY(const std::size_t got, file_.read(input_.data(), input_.size()));
      input_.resize(got);
      if (got == 0) {
        return ended_ ? base::Result<bool>(false) : base::Result<bool>(damaged("the gzip file"));
      }
    }
    if (ended_) {  // another member follows
      BECKON_CHECK(inflateReset(&stream_) == Z_OK);
      ended_ = false;
    }
    const std::size_t before = out.size();
    out.resize(before + kPieceBytes);
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data() + at_);
    stream_.avail_in = static_cast<uInt>(input_.size() - at_);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = kPieceBytes;
    const int state = inflate(&stream_, Z_NO_FLUSH);
    at_ = input_.size() - stream_.avail_in;
    out.resize(before + kPieceBytes - stream_.avail_out);
    ended_ = state == Z_STREAM_END;
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return damaged("the gzip file");
    }
    return true;
  }

 private:
  RawFile& file_;
  std::string input_;
  std::size_t at_ = 0;
  z_stream stream_{};
  bool ended_ = false;
};

class Zstd {
 public:
  explicit Zstd(RawFile& file, std::string head) : file_(file), input_(std::move(head)), stream_(ZSTD_createDStream()) {
    BECKON_CHECK(stream_ != nullptr);
  }
  ~Zstd() { ZSTD_freeDStream(stream_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  base::Result<bool> decode(std::string& out) {
    if (at_ == input_.size()) {
      input_.resize(kPieceBytes);
      at_ = 0;
      BECKON_TRY(const std::size_t got, file_.read(input_.data(), input_.size()));
      input_.resize(got);
      if (got == 0) {
        return frame_open_ ? base::Result<bool>(damaged("the zstd file")) : base::Result<bool>(false);
      }
    }
    const std::size_t before = out.size();
    out.resize(before + kPieceBytes);
    ZSTD_inBuffer in{input_.data(), input_.size(), at_};
    ZSTD_outBuffer to{out.data() + before, kPieceBytes, 0};
    const std::size_t state = ZSTD_decompressStream(stream_, &to, &in);
    at_ = in.pos;
    out.resize(before + to.pos);
    if (ZSTD_isError(state) != 0) {
      return damaged("the zstd file");
    }
    frame_open_ = state != 0;  // the last byte is not taken before everything is out
    return true;
  }

 private:
  RawFile& file_;
  std::string input_;
  std::size_t at_ = 0;
  ZSTD_DStream* stream_;
  bool frame_open_ = true;
};

class Source final : public LineSource {
 public:
  Source(std::unique_ptr<RawFile> file, std::int64_t total) : file_(std::move(file)), total_(total) {}

  base::Status detect() {
    std::string head(4, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
      BECKON_TRY(const std::size_t got, file_->read(head.data() + size, head.size() - size));
      if (got == 0) {
        break;
      }
      size += got;
    }
    head.resize(size);
    if (head.starts_with("\x1F\x8B")) {
      auto gzip = std::make_shared<Gzip>(*file_, head);
      decode_ = [gzip](std::string& out) { return gzip->decode(out); };
    } else if (head == "\x28\xB5\x2F\xFD") {
      auto zstd = std::make_shared<Zstd>(*file_, head);
      decode_ = [zstd](std::string& out) { return zstd->decode(out); };
    } else {
      pending_ = head;
      decode_ = [this](std::string& out) -> base::Result<bool> {
        const std::size_t before = out.size();
        out.resize(before + kPieceBytes);
        auto got = file_->read(out.data() + before, kPieceBytes);
        out.resize(before + got.value_or(0));
        return got.ok() ? base::Result<bool>(*got > 0) : base::Result<bool>(got.error());
      };
    }
    return base::ok_status();
  }

  char first_char() override {
    fill();
    if (pending_.starts_with("\xEF\xBB\xBF")) {
      pending_.erase(0, 3);
    }
    const auto at = pending_.find_first_not_of(" \t\r\n");
    return at == std::string::npos ? '\0' : pending_[at];
  }

  base::Result<Block> next(char csv_delimiter) override {
    Block block;
    while (block.lines.empty()) {
      fill();
      if (pending_.empty()) {
        return failure_.has_value() ? base::Result<Block>(*failure_) : base::Result<Block>(std::move(block));
      }
      cut(csv_delimiter, block);
    }
    return block;
  }
  std::int64_t bytes_read() const override { return file_->total(); }
  std::int64_t bytes_total() const override { return total_; }

 private:
  void fill() {
    while (!ended_ && pending_.size() <= kBlockBytes) {  // one byte over, or a line of just that size would never be cut
      auto more = decode_(pending_);
      if (!more.ok()) {
        failure_ = more.error();  // first hand out what came before
      }
      ended_ = !more.ok() || !*more;
    }
  }

  // Moves whole lines of pending_ into the block; the rest waits for more bytes.
  void cut(char csv_delimiter, Block& block) {
    std::size_t start = 0;
    if (skipping_) {  // the tail of a line that was already reported as too long
      start = pending_.find('\n');
      if (start == std::string::npos) {
        pending_.clear();
        return;
      }
      ++start;
      ++line_;
      skipping_ = false;
    }
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    std::vector<std::int64_t> numbers;
    base::OpenQuote quotes(csv_delimiter);
    std::int64_t inside = 0;  // line ends within the record in hand
    for (std::size_t i = start; i < pending_.size(); ++i) {
      const char c = pending_[i];
      quotes.see(c);
      // An open quote that runs over a mebibyte is a broken file, not a long field.
      if (c == '\n' && quotes.open() && i - start < kLineBytesMax) {
        ++inside;
      } else if (c == '\n') {
        spans.emplace_back(start, i - start);
        numbers.push_back(line_);
        line_ += 1 + inside;
        inside = 0;
        quotes = base::OpenQuote(csv_delimiter);
        start = i + 1;
      }
    }
    const std::size_t rest = pending_.size() - start;
    if (rest > 0 && ended_ && !failure_.has_value()) {
      spans.emplace_back(start, rest);  // the last line has no line end
      numbers.push_back(line_++);
    }
    const bool too_long = rest > kLineBytesMax && !ended_;
    start = ended_ || too_long ? pending_.size() : start;  // a torn line at the end of a damaged file is not a line
    block.bytes.assign(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(start));
    pending_.erase(0, start);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      add_line(block, spans[i], numbers[i]);
    }
    if (too_long) {
      block.lines.push_back({line_, {}, true});
      line_ += inside;
      skipping_ = true;
    }
  }

  static void add_line(Block& block, std::pair<std::size_t, std::size_t> span, std::int64_t number) {
    std::string_view text(block.bytes.data() + span.first, span.second);
    if (!text.empty() && text.back() == '\r') {
      text.remove_suffix(1);
    }
    if (text.size() > kLineBytesMax) {
      block.lines.push_back({number, {}, true});
    } else if (!text.empty()) {
      block.lines.push_back({number, text, false});
    }
  }

  std::unique_ptr<RawFile> file_;
  std::int64_t total_;
  Decoder decode_;
  std::string pending_;
  bool ended_ = false;
  bool skipping_ = false;
  std::optional<base::Error> failure_;
  std::int64_t line_ = 1;
};

}  // namespace

base::Result<std::unique_ptr<LineSource>> LineSource::open(const std::string& path) {
  const int fd = path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const bool denied = errno == EACCES;
    const std::string message = "cannot open " + path + ": " + std::strerror(errno);
    return denied ? base::Error{base::ErrorCode::kPermissionDenied, message} : base::not_found(message);
  }
  auto file = std::make_unique<RawFile>(fd);
  struct stat info {};
  const bool sized = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return base::invalid_argument(path + " is a folder: name a file");
  }
  auto source = std::make_unique<Source>(std::move(file), sized ? static_cast<std::int64_t>(info.st_size) : 0);
  BECKON_TRY_STATUS(source->detect());
  return std::unique_ptr<LineSource>(std::move(source));
}

}  // namespace beckon::table
