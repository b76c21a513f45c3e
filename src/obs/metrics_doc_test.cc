#include "obs/metrics_doc.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace penstock {
namespace {

constexpr char kFile[] = PENSTOCK_TESTDATA "/../../docs/metrics.md";

// With PENSTOCK_WRITE_DOCS set, writes the document first.
TEST(MetricsDocTest, TheDocumentIsTheCodesOwn) {
  if (std::getenv("PENSTOCK_WRITE_DOCS") != nullptr) std::ofstream(kFile) << MetricsDocument();
  std::stringstream text;
  text << std::ifstream(kFile).rdbuf();
  EXPECT_EQ(text.str(), MetricsDocument())
      << "run: PENSTOCK_WRITE_DOCS=1 build/dev/obs_test --gtest_filter='MetricsDoc*'";
}

}  // namespace
}  // namespace penstock
