#pragma once

#include <string>

namespace penstock::typemap {

// docs/type-mapping.md, made of the table that converts: what each source type becomes, the rule
// for values that ClickHouse cannot hold, and the types that may be chosen instead.
std::string TypeMappingDocument();

}  // namespace penstock::typemap
