#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "model/table.h"

namespace penstock::catalog {

// How values of the model are kept in columns of the catalog. What one function writes its
// counterpart reads back equal; anything else is kBadData.

// JSON; kBadData when a name or label is not UTF-8.
Result<std::string> EncodeTable(const model::Table& table);
Result<model::Table> DecodeTable(std::string_view text);

// JSON; "" for no such transaction.
Result<std::string> EncodeOpen(const OpenTransaction& open);
Result<OpenTransaction> DecodeOpen(std::string_view text);

// Empty without.
Result<std::string> EncodeSent(const std::optional<Sent>& sent);
Result<std::optional<Sent>> DecodeSent(std::string_view text);

// JSON; "" for none.
Result<std::string> EncodePrepared(const std::vector<model::PreparedTransaction>& prepared);
Result<std::vector<model::PreparedTransaction>> DecodePrepared(std::string_view text);

std::string EncodeChanges(const std::vector<BatchRecord::Table>& tables);
Result<std::vector<BatchRecord::Table>> DecodeChanges(std::string_view text);

// Each string, of any bytes, after its length (4 bytes, little-endian).
std::string EncodeBounds(const std::vector<std::string>& bounds);
Result<std::vector<std::string>> DecodeBounds(std::string_view bytes);

}  // namespace penstock::catalog
