#pragma once

#include <array>
#include <filesystem>
#include <span>

#include "base/status.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// Each entry takes a catalog from the version of its index to the next one. Entries are never
// changed once released, only added.
std::span<const char* const> Migrations();

// Brings the file to the newest version, each migration in a transaction of its own. A file of a
// version beyond the known ones is kConflict.
Status Migrate(Sqlite& database, std::span<const char* const> migrations = Migrations());

// Migrate; before an older file is changed, a copy of it is made beside it, named FILE.vVERSION.
Status Upgrade(Sqlite& database, const std::filesystem::path& file,
               std::span<const char* const> migrations = Migrations());

}  // namespace penstock::catalog
