#include "api/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/check.h"

namespace penstock::api {
namespace {

using Verdict = KeyGuard::Verdict;

std::string Basic(const std::string& text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  encoded.pop_back();
  return "Basic " + encoded;
}

class KeysTest : public testing::Test {
 protected:
  static std::string MakeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    return name;
  }
  ~KeysTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = MakeFolder();
  const KeyFile file_{KeyFile::In(folder_)};
  KeyGuard guard_{{.file = KeyFile::In(folder_)}};
};

TEST_F(KeysTest, WithoutKeysEverybodyIsAdmittedUnlessThatIsForbidden) {
  EXPECT_EQ(guard_.Check(""), Verdict::kAdmitted);
  EXPECT_EQ(guard_.Check(Basic("a:b")), Verdict::kAdmitted);
  KeyGuard strict({.file = KeyFile::In(folder_), .required = true});
  EXPECT_EQ(strict.Check(""), Verdict::kNoKey);
  EXPECT_EQ(strict.Check(Basic("a:b")), Verdict::kWrong);
}

TEST_F(KeysTest, OnlyTheIdAndItsOwnSecretAdmit) {
  const auto one = file_.Create("one");
  const auto two = file_.Create("two");
  ASSERT_TRUE(one && two);
  for (int again = 0; again < 2; ++again) {  // by its slow hash, then as known
    EXPECT_EQ(guard_.Check(Basic(one->id + ":" + one->secret)), Verdict::kAdmitted);
    EXPECT_EQ(guard_.Check(Basic(one->id + ":" + two->secret)), Verdict::kWrong);
    EXPECT_EQ(guard_.Check(Basic(one->id + ":")), Verdict::kWrong);
    EXPECT_EQ(guard_.Check(Basic(one->id)), Verdict::kWrong);
    EXPECT_EQ(guard_.Check(Basic(":" + one->secret)), Verdict::kWrong);
  }
  ASSERT_TRUE(file_.Delete(one->id));
  EXPECT_EQ(guard_.Check(Basic(one->id + ":" + one->secret)), Verdict::kWrong);
  EXPECT_EQ(file_.Delete(one->id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(file_.Load()->size(), 1U);
}

TEST_F(KeysTest, WhatIsNoBasicAuthenticationIsWrong) {
  ASSERT_TRUE(file_.Create(""));
  for (const std::string header :
       {"Basic", "Basic ", "Basic !!!!", "Basic =", "Basic ====", "Bearer abc", "basicabc"}) {
    EXPECT_EQ(guard_.Check(header), Verdict::kWrong) << header;
  }
}

}  // namespace
}  // namespace penstock::api
