#include "clickhouse/upload.h"

#include <lz4frame.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace penstock::clickhouse {
namespace {

// The pieces as one stream of bytes, handed out in views.
class PieceReader {
 public:
  PieceReader(Pieces pieces, MorePieces more)
      : pieces_(std::move(pieces)), more_(std::move(more)) {}

  // At most `bytes_max` bytes that lie together; empty: the end.
  Result<std::string_view> Next(size_t bytes_max) {
    while (true) {
      while (index_ < pieces_.size() && pieces_[index_].empty()) ++index_;
      if (index_ < pieces_.size()) break;
      if (!more_) return std::string_view();
      PENSTOCK_ASSIGN(pieces_, more_());
      index_ = 0;
      if (pieces_.empty()) more_ = {};
    }
    std::string_view& piece = pieces_[index_];
    const std::string_view next = piece.substr(0, bytes_max);
    piece.remove_prefix(next.size());
    return next;
  }

  // Nothing while there may be more.
  std::optional<uint64_t> bytes_left() const {
    if (more_) return std::nullopt;
    uint64_t bytes = 0;
    for (size_t i = index_; i < pieces_.size(); ++i) bytes += pieces_[i].size();
    return bytes;
  }

 private:
  Pieces pieces_;
  MorePieces more_;
  size_t index_ = 0;
};

class PlainUpload final : public Upload {
 public:
  explicit PlainUpload(PieceReader pieces)
      : pieces_(std::move(pieces)), size_(pieces_.bytes_left()) {}

  Result<size_t> Read(char* out, size_t capacity) override {
    size_t filled = 0;
    while (filled < capacity) {
      PENSTOCK_ASSIGN(const std::string_view next, pieces_.Next(capacity - filled));
      if (next.empty()) break;
      std::memcpy(out + filled, next.data(), next.size());
      filled += next.size();
    }
    return filled;
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  PieceReader pieces_;
  const std::optional<uint64_t> size_;
};

class ZstdUpload final : public Upload {
 public:
  explicit ZstdUpload(PieceReader pieces)
      : pieces_(std::move(pieces)), context_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    // 1 is the fastest of the ordinary levels: the network is to be spared, not the disk.
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
  }

  Result<size_t> Read(char* out, size_t capacity) override {
    ZSTD_outBuffer output{out, capacity, 0};
    while (output.pos < capacity && !ended_) {
      if (input_.pos == input_.size) {
        PENSTOCK_ASSIGN(const std::string_view next, pieces_.Next(kChunkBytes));
        input_ = {next.data(), next.size(), 0};
      }
      const auto mode = input_.size == 0 ? ZSTD_e_end : ZSTD_e_continue;
      const size_t left = ZSTD_compressStream2(context_.get(), &output, &input_, mode);
      if (ZSTD_isError(left) != 0) {
        return Fail(ErrorCode::kInternal, "zstd: {}", ZSTD_getErrorName(left));
      }
      ended_ = mode == ZSTD_e_end && left == 0;
    }
    return output.pos;
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  static constexpr size_t kChunkBytes = 1 << 20;

  PieceReader pieces_;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
  ZSTD_inBuffer input_{};
  bool ended_ = false;
};

class Lz4Upload final : public Upload {
 public:
  explicit Lz4Upload(PieceReader pieces) : pieces_(std::move(pieces)) {
    preferences_.frameInfo.blockSizeID = LZ4F_max256KB;
    staged_.resize(LZ4F_compressBound(kChunkBytes, &preferences_));
  }
  ~Lz4Upload() override { LZ4F_freeCompressionContext(context_); }
  Lz4Upload(const Lz4Upload&) = delete;
  Lz4Upload& operator=(const Lz4Upload&) = delete;

  Result<size_t> Read(char* out, size_t capacity) override {
    while (sent_ == filled_ && !ended_) PENSTOCK_TRY(Stage());
    const size_t count = std::min(capacity, filled_ - sent_);
    std::memcpy(out, staged_.data() + sent_, count);
    sent_ += count;
    return count;
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  static constexpr size_t kChunkBytes = 256 << 10;

  // Compresses the next chunk into staged_; it may come out empty while LZ4 gathers a block.
  Status Stage() {
    size_t made = 0;
    if (context_ == nullptr) {
      PENSTOCK_ASSIGN(made, Checked(LZ4F_createCompressionContext(&context_, LZ4F_VERSION)));
      made = LZ4F_compressBegin(context_, staged_.data(), staged_.size(), &preferences_);
    } else {
      PENSTOCK_ASSIGN(const std::string_view next, pieces_.Next(kChunkBytes));
      ended_ = next.empty();
      made = ended_ ? LZ4F_compressEnd(context_, staged_.data(), staged_.size(), nullptr)
                    : LZ4F_compressUpdate(context_, staged_.data(), staged_.size(), next.data(),
                                          next.size(), nullptr);
    }
    PENSTOCK_ASSIGN(filled_, Checked(made));
    sent_ = 0;
    return {};
  }
  static Result<size_t> Checked(size_t code) {
    if (LZ4F_isError(code) == 0) return code;
    return Fail(ErrorCode::kInternal, "lz4: {}", LZ4F_getErrorName(code));
  }

  PieceReader pieces_;
  LZ4F_preferences_t preferences_{};
  LZ4F_cctx* context_ = nullptr;
  std::vector<char> staged_;
  size_t filled_ = 0;
  size_t sent_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Upload> MakeUpload(Pieces pieces, Compression compression, MorePieces more) {
  PieceReader reader(std::move(pieces), std::move(more));
  switch (compression) {
    case Compression::kLz4:
      return std::make_unique<Lz4Upload>(std::move(reader));
    case Compression::kZstd:
      return std::make_unique<ZstdUpload>(std::move(reader));
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainUpload>(std::move(reader));
}

}  // namespace penstock::clickhouse
