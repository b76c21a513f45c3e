#include "mysql/binlog/inflater.h"

#include <zlib.h>

#include <limits>

namespace penstock::binlog {
namespace {

// Deflate makes at most 1032 bytes of one.
constexpr size_t kInflationMax = 1032;

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

bool Inflater::Append(std::string_view deflated, Form form, size_t length, std::string& out) {
  constexpr size_t kMax = std::numeric_limits<uInt>::max();
  if (deflated.size() > kMax || length > kMax || length / kInflationMax > deflated.size()) {
    return false;
  }
  if (!stream_) {
    stream_.reset(new z_stream{});
    if (inflateInit(stream_.get()) != Z_OK) return false;
  }
  const int window_bits = form == Form::kRaw ? -MAX_WBITS : MAX_WBITS;
  if (inflateReset2(stream_.get(), window_bits) != Z_OK) return false;
  const size_t before = out.size();
  out.resize(before + length);
  // zlib does not write to its input, but asks for it without const.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream_->avail_in = static_cast<uInt>(deflated.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream_->avail_out = static_cast<uInt>(length);
  const int ended = inflate(stream_.get(), Z_FINISH);
  return ended == Z_STREAM_END && stream_->avail_in == 0 && stream_->avail_out == 0;
}

}  // namespace penstock::binlog
