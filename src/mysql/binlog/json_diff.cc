#include "mysql/binlog/json_diff.h"

#include "base/byte_reader.h"

namespace penstock::binlog {
namespace {

enum Operation : uint8_t { kReplace = 0, kInsert = 1, kRemove = 2 };

}  // namespace

Status JsonPatcher::AppendText(std::string_view document, std::string_view differences,
                               std::string& text) {
  editor_.Begin(document, differences.size());
  PENSTOCK_TRY(Apply(differences));
  return editor_.AppendText(text);
}

// One after the other: the operation, the path and (not of a removal) the value, both after their
// lengths. Each applies to what the ones before it left.
Status JsonPatcher::Apply(std::string_view differences) {
  ByteReader reader(differences);
  while (!reader.AtEnd()) {
    const uint8_t operation = reader.U8();
    const std::string_view path = reader.LengthEncodedBytes();
    const std::string_view value =
        operation == kRemove ? std::string_view() : reader.LengthEncodedBytes();
    if (operation > kRemove || (operation != kRemove && value.empty())) reader.Fail();
    if (!reader.ok()) break;
    switch (operation) {
      case kReplace:
        PENSTOCK_TRY(editor_.Replace(path, value));
        break;
      case kInsert:
        PENSTOCK_TRY(editor_.Insert(path, value));
        break;
      default:
        PENSTOCK_TRY(editor_.Remove(path));
    }
  }
  if (!reader.ok()) return Fail(ErrorCode::kBadData, "JSON differences are malformed");
  return {};
}

}  // namespace penstock::binlog
