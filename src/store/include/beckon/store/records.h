#pragma once
// Decisions, deliveries, and the counters that campaigns share.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "beckon/events/records.h"
#include "beckon/store/people.h"

namespace beckon::store {

/// Sums of one budget or quantity. All in one row, so that a claim reserves in the same batch that claims.
struct Counter {
  std::int64_t limit = 0;      ///< minor units, or pieces
  std::int64_t planned = 0;    ///< of the latest plan
  std::int64_t escrowed = 0;
  std::int64_t settled = 0;
  std::int64_t left() const { return limit - escrowed - settled; }
  friend bool operator==(const Counter&, const Counter&) = default;
};

/// Rows: 'd' decisions, 'l' deliveries (both under the customer); 'B' counters and 'M' small named texts (under partition 0).
class Records {
 public:
  explicit Records(KeyValue& rows) : rows_(rows) {}

  static void put(const events::Decision& decision, WriteBatch& changes);
  base::Result<std::vector<events::Decision>> decisions(const privacy::Pseudonym& customer) const;
  base::Status for_each_decision(const std::function<bool(const events::Decision&)>& visit) const;
  /// The keys of all decisions of a campaign period, to be replaced by a new plan.
  base::Status remove_decisions(const std::string& campaign, const std::string& period, WriteBatch& changes) const;

  static void put(const events::Delivery& delivery, WriteBatch& changes);
  base::Result<std::optional<events::Delivery>> delivery(const privacy::Pseudonym& customer, const std::string& id) const;
  base::Result<std::vector<events::Delivery>> deliveries(const privacy::Pseudonym& customer) const;
  base::Status for_each_delivery(const std::function<bool(const events::Delivery&)>& visit) const;

  static void put(const std::string& name, const Counter& counter, WriteBatch& changes);
  base::Result<std::optional<Counter>> counter(const std::string& name) const;
  base::Result<std::map<std::string, Counter>> counters(const std::string& prefix) const;

  /// Small named facts: state of a send, last import, assumptions for the report.
  static void put_note(const std::string& name, const std::string& text, WriteBatch& changes);
  base::Result<std::optional<std::string>> note(const std::string& name) const;
  base::Result<std::map<std::string, std::string>> notes(const std::string& prefix) const;

 private:
  KeyValue& rows_;
};

}  // namespace beckon::store
