#include "cli/check_view.h"

#include <gtest/gtest.h>

#include "cli/output.h"

namespace penstock::cli {
namespace {

using nlohmann::json;

json ReportOfThree() {
  return json::parse(R"x({"ok": false, "ddl": ["CREATE TABLE t (a Int8)"], "findings": [
    {"check": "binlog_format", "group": "source", "severity": "error", "message": "it is MIXED",
     "remedy": "Run at the source", "statement": "SET PERSIST binlog_format = 'ROW';"},
    {"check": "server_id", "group": "source", "severity": "ok", "message": "it is 1", "remedy": "",
     "statement": ""},
    {"check": "key_values", "group": "tables", "severity": "notRun",
     "message": "there is no connection to the source", "remedy": "", "statement": ""}]})x");
}

TEST(CheckViewTest, FindingsAreAlignedByGroupWithTheirStatements) {
  EXPECT_EQ(ReportText(ReportOfThree(), {}),
            "source\n"
            "  error    binlog_format  it is MIXED\n"
            "                          fix: Run at the source:\n"
            "                          SET PERSIST binlog_format = 'ROW';\n"
            "  ok       server_id      it is 1\n"
            "\n"
            "tables\n"
            "  not run  key_values     there is no connection to the source\n"
            "\n"
            "1 error, 1 ok, 1 not run\n"
            "\n"
            "What create would run:\n"
            "\n"
            "CREATE TABLE t (a Int8);\n");
}

TEST(CheckViewTest, ColoursOnlyWhereTheyAreWanted) {
  EXPECT_EQ(ReportText(ReportOfThree(), {}).find('\x1b'), std::string::npos);
  const std::string coloured = ReportText(ReportOfThree(), {.colours = true});
  EXPECT_NE(coloured.find("\x1b[1;31merror\x1b[0m  "), std::string::npos) << coloured;
}

TEST(CheckViewTest, LinesAreWrappedAtTheWidthAndStatementsAreNot) {
  json report = ReportOfThree();
  report["findings"][0]["message"] = std::string(100, 'a') + " bb cc " + std::string(28, 'd');
  report["findings"][0]["statement"] = "SELECT " + std::string(90, '1') + " AND 2;";
  const std::string text = ReportText(report, {.width = 56});
  EXPECT_NE(text.find(std::string(100, 'a') + "\n" + std::string(26, ' ') + "bb cc\n" +
                      std::string(26, ' ') + std::string(28, 'd') + "\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("1 AND 2;\n"), std::string::npos) << text;
}

TEST(CheckViewTest, NamesOfOthersCannotMoveTheCursor) {
  json report = ReportOfThree();
  report["findings"][0]["message"] = "a\x1b[2Jb";
  EXPECT_EQ(ReportText(report, {}).find('\x1b'), std::string::npos);
}

TEST(CheckViewTest, CountsHaveTheirPlurals) {
  json report = ReportOfThree();
  report["findings"].push_back(report["findings"][0]);
  EXPECT_EQ(CountsText(report), "2 errors, 1 ok, 1 not run");
  EXPECT_EQ(CountsText(json::object()), "");
}

}  // namespace
}  // namespace penstock::cli
