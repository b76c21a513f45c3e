#include "stream/statement_effect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::stream {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string EffectOf(std::string_view sql, bool names_ignore_case,
                     model::TableName table_name = {"shop", "orders"}) {
  model::Table table;
  table.name = std::move(table_name);
  table.key_is_primary = true;
  const auto effect = EffectOn(table, ddl::Classify(sql, "shop", {}), sql, names_ignore_case);
  if (std::holds_alternative<Truncates>(effect)) return "truncates";
  if (const auto* error = std::get_if<Error>(&effect)) return error->ToString();
  return "nothing";
}

TEST(StatementEffectTest, NamesCompareAsTheSourceDoes) {
  EXPECT_EQ(EffectOf("TRUNCATE orders", false), "truncates");
  EXPECT_EQ(EffectOf("TRUNCATE Orders", false), "nothing");
  EXPECT_EQ(EffectOf("TRUNCATE SHOP.Orders", true), "truncates");
  EXPECT_EQ(EffectOf("ALTER TABLE Orders DROP x", false), "nothing");
  EXPECT_THAT(EffectOf("ALTER TABLE Orders DROP x", true), HasSubstr("ALTER TABLE Orders DROP x"));
  EXPECT_THAT(EffectOf("DROP DATABASE Shop", true), HasSubstr("shop.orders"));
}

// Which letters are one but for case the server knows: nothing is emptied on a guess.
TEST(StatementEffectTest, NamesBeyondAsciiAreNotGuessed) {
  const model::TableName table{"shop", "größe"};
  EXPECT_EQ(EffectOf("TRUNCATE größe", true, table), "truncates");
  EXPECT_THAT(EffectOf("TRUNCATE GRÖßE", true, table), HasSubstr("TRUNCATE"));
  EXPECT_EQ(EffectOf("TRUNCATE orders", true, table), "nothing");
}

TEST(StatementEffectTest, TextThatMayHoldASecretOrValuesIsNotShown) {
  EXPECT_THAT(EffectOf("ALTER TABLE orders CONNECTION='mysql://u:hidden@h/d/t', DROP x", true),
              Not(HasSubstr("hidden")));
  EXPECT_THAT(EffectOf("UPDATE orders SET note = 'hidden'", true), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace penstock::stream
