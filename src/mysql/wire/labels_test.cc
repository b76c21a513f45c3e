#include "mysql/wire/labels.h"

#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

model::Column Labels(std::string charset, std::vector<std::string> labels) {
  model::Column column;
  column.type = model::SqlType::kEnum;
  column.charset = std::move(charset);
  column.labels = std::move(labels);
  return column;
}

TEST(LabelsTest, OnlyAQuestionMarkInAWideCharacterSetIsUnsure) {
  EXPECT_TRUE(LabelsAreUnsure(Labels("utf8mb4", {"a", "b?"})));
  EXPECT_TRUE(LabelsAreUnsure(Labels("utf16", {"?"})));
  EXPECT_FALSE(LabelsAreUnsure(Labels("utf8mb4", {"a", "é水"})));
  EXPECT_FALSE(LabelsAreUnsure(Labels("utf8mb3", {"b?"})));
  EXPECT_FALSE(LabelsAreUnsure(Labels("latin1", {"b?"})));
  EXPECT_FALSE(LabelsAreUnsure(Labels("", {})));
}

TEST(LabelsTest, CharactersBeyondTheBasicPlaneAreQuestionMarks) {
  EXPECT_EQ(LabelInUtf8Mb3("a🚰é水?🚰"), "a?é水??");
  EXPECT_EQ(LabelInUtf8Mb3(""), "");
  EXPECT_EQ(LabelInUtf8Mb3("\xf0"), "?");
}

}  // namespace
}  // namespace penstock::mysql
