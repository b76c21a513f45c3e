#pragma once

#include <string_view>

namespace penstock::clickhouse {

// What is wrong with the URL of an Endpoint: "must ...". "": nothing.
std::string_view WhyNoUrl(std::string_view url);

}  // namespace penstock::clickhouse
