#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace penstock::clickhouse {

// Of the bytes of an insert, on their way.
enum class Compression : uint8_t { kNone, kLz4, kZstd };

// As users spell them; auto: by where the destination is.
inline constexpr std::array<std::pair<std::string_view, std::optional<Compression>>, 4>
    kCompressionNames = {{{"auto", std::nullopt},
                          {"none", Compression::kNone},
                          {"lz4", Compression::kLz4},
                          {"zstd", Compression::kZstd}}};

// What serves best to this http or https URL: nothing to a loopback address, which is faster than
// any compression; zstd to other hosts (docs/performance.md has the figures).
Compression CompressionTo(std::string_view url);

// The HTTP Content-Encoding of it; empty: none.
std::string_view ContentEncoding(Compression compression);

}  // namespace penstock::clickhouse
