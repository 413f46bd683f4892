#pragma once
// Private to engine: what ingest learns about persons, into profiles, consents, links and data keys.

#include <set>
#include <unordered_map>
#include <unordered_set>

#include "beckon/engine/engine.h"
#include "ingest.h"

namespace beckon::engine {

/// Not thread-safe. Lives as long as one file is read.
class PeopleChanges {
 public:
  explicit PeopleChanges(Context& context) : context_(context), people_(*context.rows) {}
  /// Erased customers are few: all of them are read once.
  base::Status load();
  /// Adds the block's changes of persons to `changes`; data keys are made in one transaction before.
  base::Status apply(const ParsedBlock& block, store::WriteBatch& changes);
  /// False for events of an erased customer from before his erasure.
  bool accepts(const events::Event& event) const;
  std::int64_t new_customers() const { return new_customers_; }

 private:
  base::Status apply_one(const PersonChange& change, const std::string& key, store::WriteBatch& changes);
  void import_consents(const privacy::Pseudonym& customer, store::WriteBatch& changes) const;

  Context& context_;
  store::People people_;
  std::map<privacy::Pseudonym, base::Instant> erased_;
  std::unordered_set<privacy::Pseudonym> known_;                    ///< have a profile with their id
  std::unordered_map<privacy::Pseudonym, store::Profile> pending_;  ///< profiles of the batch in hand
  std::int64_t new_customers_ = 0;
};

}  // namespace beckon::engine
