#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/status_view.h"

namespace penstock::cli {
namespace {

TEST(Output, TerminalsAreNotObeyed) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "2J"),
            "a  2J");
  EXPECT_EQ(Printable("Größe 山田"), "Größe 山田");
}

TEST(Output, ColumnsLineUp) {
  EXPECT_EQ(FormatTable({"NAME", "N"}, {{"ä", "1"}, {"longer", "22"}}),
            "NAME    N\nä       1\nlonger  22\n");
  EXPECT_EQ(FormatTable({"NAME"}, {}), "NAME\n");
}

TEST(Output, ColoursTakeNoRoom) {
  EXPECT_EQ(ColouredState("Failed", false), "Failed");
  EXPECT_EQ(ColouredState("Failed", true), "\x1b[1;31mFailed\x1b[0m");
  EXPECT_EQ(ColouredState("Snapshot", true), "\x1b[36mSnapshot\x1b[0m");
  EXPECT_EQ(Width(ColouredState("Running", true)), 7u);
}

TEST(Output, TextIsShortenedByCharacters) {
  EXPECT_EQ(Shorten("äöü", 2), "äö");
  EXPECT_EQ(Shorten("ab", 2), "ab");
  EXPECT_EQ(Shorten("ab", 0), "");
}

TEST(Output, NumbersAreReadable) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1'234'567), "1.2 MB");
  EXPECT_EQ(FormatBytes(5e15), "5000.0 TB");
  EXPECT_EQ(FormatSeconds(0.35), "350 ms");
  EXPECT_EQ(FormatSeconds(4.21), "4.2 s");
  EXPECT_EQ(FormatSeconds(200), "3 min 20 s");
  EXPECT_EQ(FormatSeconds(7500), "2 h 5 min");
  EXPECT_EQ(FormatSeconds(90000), "1 d 1 h");
}

TEST(Output, BarsAreAlwaysAsWide) {
  for (const double share : {-1.0, 0.0, 0.5, 1.0, 7.0}) {
    EXPECT_EQ(Width(ProgressBar(share, 10)), 10u) << share;
  }
  EXPECT_EQ(ProgressBar(0.5, 4), "██░░");
}

nlohmann::json SomeStatus(size_t tables) {
  auto status = nlohmann::json::parse(R"({
    "name": "shop", "state": "Snapshot", "stateSince": "2026-01-01T00:00:00.000Z", "reason": "",
    "lagSeconds": null, "rowsPerSecond": 1234.5, "lastBatchRows": 1000,
    "lastBatchMilliseconds": 35, "retrying": "", "retryAttempts": 0, "tables": []})");
  for (size_t i = 0; i < tables; ++i) {
    status["tables"].push_back(nlohmann::json::parse(R"({
      "sourceSchemaName": "shop", "sourceTable": "orders", "state": "loading", "percent": 25.0,
      "rowsEstimated": 1000, "rowsLoaded": 250, "bytesEstimated": 10000, "bytesLoaded": 2500,
      "loadRowsPerSecond": 100, "secondsLeft": 8, "rowsInserted": 3,
      "rowsUpdated": 2, "rowsDeleted": 1})"));
  }
  status["snapshot"] = nlohmann::json::parse(R"({
      "tables": 3, "tablesDone": 1, "partitionsDone": 7, "partitionsInFlight": 4, "percent": 43.2,
      "rowsEstimated": 2000, "rowsLoaded": 864, "bytesEstimated": 3000000, "bytesLoaded": 1234567,
      "loadRowsPerSecond": 0, "secondsLeft": null})");
  return status;
}

TEST(StatusView, ShowsStateSpeedAndTables) {
  const auto lines = StatusLines(SomeStatus(1), {.width = 200});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "shop  Snapshot  since 2026-01-01T00:00:00.000Z");
  EXPECT_EQ(lines[1], "  lag unknown  1,234 rows/s  last batch 1,000 rows in 35 ms");
  EXPECT_EQ(lines[2],
            "  snapshot    ██████████░░░░░░░░░░░░░░  43.2 %  864 of 2,000 rows  1.2 MB of 3.0 MB  "
            "1 of 3 tables, 7 partitions loaded, 4 in flight");
  EXPECT_EQ(lines[3],
            "  shop.orders ██████░░░░░░░░░░░░░░░░░░  25.0 %  250 of 1,000 rows  2.5 kB of 10.0 kB  "
            "100 rows/s  8.0 s left  loading, 6 changes");
  EXPECT_EQ(StatusLine(SomeStatus(1)),
            "Snapshot 43.2 %  864 of 2,000 rows  1.2 MB of 3.0 MB  lag unknown  1,234 rows/s  "
            "last batch 1,000 rows in 35 ms");
}

TEST(StatusView, SaysWhatIsWrong) {
  nlohmann::json status = SomeStatus(0);
  status["reason"] = "because";
  status["retrying"] = "connection\nrefused";
  status["retryAttempts"] = 3;
  const auto lines = StatusLines(status, {});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[2], "  because");
  EXPECT_EQ(lines[3], "  retrying (attempt 3): connection refused");
}

TEST(StatusView, FitsTheTerminal) {
  const auto lines = StatusLines(SomeStatus(50), {.width = 20, .height = 10});
  EXPECT_LE(lines.size(), 10u);
  for (const std::string& line : lines) EXPECT_LE(Width(line), 20u);
  EXPECT_EQ(lines.back(), "  and 44 more tables");
}

// An older or newer server may leave things out.
TEST(StatusView, StandsWhatIsMissing) {
  EXPECT_FALSE(StatusLines(nlohmann::json::object(), {}).empty());
  EXPECT_FALSE(StatusLine(nlohmann::json::object()).empty());
}

}  // namespace
}  // namespace penstock::cli
