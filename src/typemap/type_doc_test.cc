#include "typemap/type_doc.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace penstock::typemap {
namespace {

constexpr char kFile[] = PENSTOCK_TESTDATA "/../../docs/type-mapping.md";

// With PENSTOCK_WRITE_DOCS set, writes the document first.
TEST(TypeDocTest, TheDocumentIsTheCodesOwn) {
  if (std::getenv("PENSTOCK_WRITE_DOCS") != nullptr) std::ofstream(kFile) << TypeMappingDocument();
  std::stringstream text;
  text << std::ifstream(kFile).rdbuf();
  EXPECT_EQ(text.str(), TypeMappingDocument())
      << "run: PENSTOCK_WRITE_DOCS=1 build/dev/typemap_test --gtest_filter='TypeDoc*'";
}

}  // namespace
}  // namespace penstock::typemap
