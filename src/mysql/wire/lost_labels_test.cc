#include "mysql/wire/lost_labels.h"

#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

model::Column Enum(std::string charset, std::vector<std::string> labels) {
  model::Column column;
  column.type = model::SqlType::kEnum;
  column.charset = std::move(charset);
  column.labels = std::move(labels);
  return column;
}

TEST(LostLabelsTest, AQuestionMarkMayBeAnotherCharacterWhereTheServerCannotBeAsked) {
  const ServerInfo mysql{.flavour = Flavour::kMysql, .version = "9.7.4", .number = 90704};
  const ServerInfo mariadb{.flavour = Flavour::kMariadb, .version = "10.11.6", .number = 101106};
  const ServerInfo old{.flavour = Flavour::kMariadb, .version = "10.2.44", .number = 100244};
  EXPECT_TRUE(LabelsMayBeLost(mysql, Enum("utf8mb4", {"a", "b?"})));
  EXPECT_TRUE(LabelsMayBeLost(old, Enum("utf16", {"?"})));
  EXPECT_FALSE(LabelsMayBeLost(mariadb, Enum("utf8mb4", {"?"})));
  EXPECT_FALSE(LabelsMayBeLost(mysql, Enum("utf8mb3", {"?"})));
  EXPECT_FALSE(LabelsMayBeLost(mysql, Enum("utf8mb4", {"a", "é"})));
}

}  // namespace
}  // namespace penstock::mysql
