#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "catalog/catalog.h"
#include "model/position.h"

namespace penstock::pipe {

// The part of `common` that `position` had come to; both by GTID.
model::Position CommonPart(const model::Position& position, const model::Position& common);

// Whether `common` has all of `position`.
bool IsWithin(const model::Position& position, const model::Position& common);

// The ids of the tables that were written by transactions up to `position` which a source that has
// only `common` of it never had; nullopt if the records of the batches, newest first, do not tell.
std::optional<std::set<int64_t>> TablesOfLost(const std::vector<catalog::BatchRecord>& batches,
                                              const model::Position& position,
                                              const model::Position& common);

}  // namespace penstock::pipe
