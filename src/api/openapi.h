#pragma once

#include <string_view>

namespace penstock::api {

// openapi.yaml as it was when this was built.
std::string_view OpenApiText();

}  // namespace penstock::api
