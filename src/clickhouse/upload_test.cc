#include "clickhouse/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <rapidcheck.h>
#include <zstd.h>

#include <string>

namespace penstock::clickhouse {
namespace {

std::string ReadAll(Upload& upload, size_t capacity) {
  std::string all;
  std::string part(capacity, '\0');
  while (true) {
    const Result<size_t> count = upload.Read(part.data(), capacity);
    EXPECT_TRUE(count.has_value());
    if (!count || *count == 0) return all;
    EXPECT_LE(*count, capacity);
    all.append(part, 0, *count);
  }
}

std::string Unzstd(const std::string& frame, size_t size) {
  std::string plain(size + 1, '\0');
  const size_t got = ZSTD_decompress(plain.data(), plain.size(), frame.data(), frame.size());
  EXPECT_EQ(ZSTD_isError(got), 0U);
  plain.resize(got);
  return plain;
}

std::string Unlz4(const std::string& frame, size_t size) {
  LZ4F_dctx* context = nullptr;
  EXPECT_EQ(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)), 0U);
  std::string plain(size + 1, '\0');
  size_t in = 0;
  size_t out = 0;
  size_t hint = 1;
  while (hint != 0 && in < frame.size()) {
    size_t taken = frame.size() - in;
    size_t made = plain.size() - out;
    hint = LZ4F_decompress(context, plain.data() + out, &made, frame.data() + in, &taken, nullptr);
    EXPECT_EQ(LZ4F_isError(hint), 0U);
    in += taken;
    out += made;
    if (made == 0 && taken == 0) break;
  }
  EXPECT_EQ(hint, 0U) << "the frame has no end";
  LZ4F_freeDecompressionContext(context);
  plain.resize(out);
  return plain;
}

std::string RoundTrip(const std::vector<std::string_view>& pieces, Compression compression,
                      size_t capacity) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  const auto upload = MakeUpload(pieces, compression);
  EXPECT_EQ(upload->size().has_value(), compression == Compression::kNone);
  const std::string body = ReadAll(*upload, capacity);
  if (compression == Compression::kZstd) return Unzstd(body, size);
  if (compression == Compression::kLz4) return Unlz4(body, size);
  EXPECT_EQ(body.size(), upload->size());
  return body;
}

TEST(UploadTest, GivesThePiecesBack) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& parts) {
    const auto compression =
        *rc::gen::element(Compression::kNone, Compression::kLz4, Compression::kZstd);
    const auto capacity = *rc::gen::inRange<size_t>(1, 100);
    const std::vector<std::string_view> pieces(parts.begin(), parts.end());
    std::string whole;
    for (const std::string& part : parts) whole += part;
    RC_ASSERT(RoundTrip(pieces, compression, capacity) == whole);
  }));
}

TEST(UploadTest, AsksForMoreWhenAllIsTaken) {
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    std::string text = "first,";
    int asked = 0;
    const auto upload = MakeUpload({text}, compression, [&]() -> Result<Pieces> {
      text = asked == 0 ? "second," : "third";  // what was taken may be written over
      return ++asked == 3 ? Pieces() : Pieces{text, "", text};
    });
    EXPECT_FALSE(upload->size().has_value());
    const std::string body = ReadAll(*upload, 4);
    EXPECT_EQ(asked, 3);
    const std::string whole = "first,second,second,thirdthird";
    EXPECT_EQ(compression == Compression::kZstd  ? Unzstd(body, whole.size())
              : compression == Compression::kLz4 ? Unlz4(body, whole.size())
                                                 : body,
              whole);
  }
}

TEST(UploadTest, FailsAsWhatGivesMoreDoes) {
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    const auto upload = MakeUpload({"first"}, compression, []() -> Result<Pieces> {
      return Fail(ErrorCode::kBadData, "no more");
    });
    std::string out(64, '\0');
    Result<size_t> read = 1U;
    for (int i = 0; i < 9 && read; ++i) read = upload->Read(out.data(), out.size());
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message, "no more");
  }
}

TEST(UploadTest, GivesLargePiecesBack) {
  std::string noise;
  uint32_t state = 1;
  for (int i = 0; i < 3'000'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
  }
  const std::string zeros(5'000'000, '\0');
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    EXPECT_TRUE(RoundTrip({noise, "", zeros, noise}, compression, 70'000) == noise + zeros + noise);
  }
}

TEST(UploadTest, Compresses) {
  const std::string zeros(1'000'000, '\0');
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    const auto upload = MakeUpload({zeros}, compression);
    EXPECT_LT(ReadAll(*upload, 4096).size(), 10'000U);
  }
}

}  // namespace
}  // namespace penstock::clickhouse
