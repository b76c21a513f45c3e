#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace penstock::model {

// The tag of a MySQL transaction (8.3 and later), in lower case; empty: none. It is kept in place:
// every transaction has one.
class GtidTag {
 public:
  static constexpr size_t kLengthMax = 32;

  GtidTag() = default;
  explicit GtidTag(std::string_view text);  // of at most kLengthMax characters

  std::string_view view() const { return {text_.data(), length_}; }
  bool empty() const { return length_ == 0; }

  auto operator<=>(const GtidTag& other) const { return view() <=> other.view(); }
  bool operator==(const GtidTag& other) const { return view() == other.view(); }

 private:
  std::array<char, kLengthMax> text_{};
  uint8_t length_ = 0;
};

// One transaction of a MySQL server: source UUID, optional tag and number from 1.
struct MysqlGtid {
  std::array<uint8_t, 16> uuid{};
  GtidTag tag;
  uint64_t number = 0;

  bool operator==(const MysqlGtid&) const = default;
  std::string ToString() const;
};

// A set of MySQL transactions, as gtid_executed holds it: for each (UUID, tag) sorted half-open
// intervals that neither touch nor overlap.
class MysqlGtidSet {
 public:
  // "uuid[:tag]:1-5:7,uuid:..." as the server prints it; white space and newlines are allowed.
  static Result<MysqlGtidSet> Parse(std::string_view text);

  void Add(const MysqlGtid& gtid);
  void Add(const MysqlGtidSet& other);
  // Those of this set that `other` has not.
  MysqlGtidSet Without(const MysqlGtidSet& other) const;
  bool Contains(const MysqlGtid& gtid) const;
  bool Contains(const MysqlGtidSet& other) const;
  // Whether it has something of every server that `other` has something of.
  bool KnowsServersOf(const MysqlGtidSet& other) const;
  bool empty() const { return sets_.empty(); }

  // The server's own text in one line (it breaks the line after each comma), UUIDs in order;
  // "" when empty.
  std::string ToString() const;
  // The bytes that COM_BINLOG_DUMP_GTID sends: without tags the classic form; the tagged form of
  // MySQL 8.3 only if some GTID has a tag.
  std::string Encode() const;
  // Likewise, as PREVIOUS_GTIDS_LOG_EVENT has it.
  static Result<MysqlGtidSet> Decode(std::string_view bytes);

  bool operator==(const MysqlGtidSet&) const = default;

 private:
  struct Interval {
    uint64_t begin;
    uint64_t end;  // exclusive
    bool operator==(const Interval&) const = default;
  };
  struct Source {
    std::array<uint8_t, 16> uuid;
    GtidTag tag;
    auto operator<=>(const Source&) const = default;
  };
  void AddInterval(const Source& source, Interval added);
  bool ContainsInterval(const Source& source, Interval wanted) const;

  std::map<Source, std::vector<Interval>> sets_;
};

// One MariaDB transaction: domain-server-sequence.
struct MariadbGtid {
  uint32_t domain = 0;
  uint32_t server = 0;
  uint64_t sequence = 0;

  bool operator==(const MariadbGtid&) const = default;
  std::string ToString() const;
};

// A MariaDB position: the last transaction seen in each domain, as gtid_slave_pos holds it.
class MariadbGtidPosition {
 public:
  // "0-1-100,1-2-7"
  static Result<MariadbGtidPosition> Parse(std::string_view text);

  std::vector<MariadbGtid> gtids() const;  // domains in order
  std::optional<MariadbGtid> Of(uint32_t domain) const;

  // Moves the GTID's domain to it.
  void Set(const MariadbGtid& gtid);
  // Moves each domain to the later of both.
  void Merge(const MariadbGtidPosition& other);
  // The domains that are not where `other` has them.
  MariadbGtidPosition Without(const MariadbGtidPosition& other) const;
  // Whether the position of the GTID's domain has reached its sequence number.
  bool Covers(const MariadbGtid& gtid) const;
  bool Covers(const MariadbGtidPosition& other) const;
  bool empty() const { return domains_.empty(); }

  std::string ToString() const;  // domains in order

  bool operator==(const MariadbGtidPosition&) const = default;

 private:
  std::map<uint32_t, MariadbGtid> domains_;
};

}  // namespace penstock::model
