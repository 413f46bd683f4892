#pragma once
// Private to engine: the parts of ingest.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/engine/engine.h"
#include "beckon/events/parse.h"
#include "beckon/table/lines.h"

namespace beckon::engine {

/// What a line says about the person himself.
struct PersonChange {
  privacy::Pseudonym customer;
  std::string original_id;                         ///< empty for anonymous ones
  std::map<std::string, std::string> open;
  std::map<std::string, std::string> to_seal;
  std::vector<privacy::ConsentRecord> consents;
  std::optional<privacy::Pseudonym> link;          ///< this id belongs to `customer` from now on
};

struct RejectedLine {
  std::int64_t line = 0;
  std::string field;
  std::string reason;
  std::string row_hash;
};

/// One block after parsing: nothing in here is a raw id but PersonChange, which never leaves memory unsealed.
struct ParsedBlock {
  std::vector<events::Event> events;
  std::vector<std::uint64_t> content;              ///< per event: hash of its content when the line had no message id, else 0
  std::vector<PersonChange> persons;
  std::vector<RejectedLine> rejects;
  std::int64_t lines = 0;
};

/// Parses blocks; one per worker (holds parser buffers and a cache of recent ids).
class BlockParser {
 public:
  BlockParser(const Context& context, const events::ParseOptions& options);
  base::Status set_csv_header(std::string_view header);
  ParsedBlock parse(const table::Block& block);

 private:
  struct Known {
    privacy::Pseudonym customer;
  };
  const privacy::Pseudonym& pseudonym_of(const std::string& id);
  void add(const events::RawEvent& raw, ParsedBlock& out);
  void add_person(const events::RawEvent& raw, const privacy::Pseudonym& customer, ParsedBlock& out);
  const Context& context_;
  events::ParseOptions options_;
  events::JsonLineParser json_;
  std::optional<events::CsvParser> csv_;
  std::unordered_map<std::string, privacy::Pseudonym> cache_;
  std::unordered_map<std::string, bool> announced_;  ///< ids whose person change was already handed on by this parser
  std::string last_order_;
  std::string last_order_hash_;
};

/// How often the same content was seen in this file, at flat memory: a bounded table that spills to a scratch database.
class OccurrenceCounter {
 public:
  /// `recent_max` contents are held in memory: about 64 MB.
  explicit OccurrenceCounter(std::string scratch_folder, std::size_t recent_max = 2'000'000)
      : folder_(std::move(scratch_folder)), recent_max_(recent_max) {}
  ~OccurrenceCounter();
  OccurrenceCounter(const OccurrenceCounter&) = delete;
  OccurrenceCounter& operator=(const OccurrenceCounter&) = delete;
  /// 0 for the first, 1 for the second …
  base::Result<std::uint32_t> next(std::uint64_t content);

 private:
  base::Status spill();
  void remove_scratch() const;
  std::string folder_;
  std::size_t recent_max_;
  std::unordered_map<std::uint64_t, std::uint32_t> recent_;
  std::unique_ptr<store::KeyValue> scratch_;
};

}  // namespace beckon::engine
