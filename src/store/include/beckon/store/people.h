#pragma once
// Who the customers are: profile, consents, links between ids, flags, suppression after an erasure.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "beckon/store/store.h"

namespace beckon::store {

/// One per customer. `open` fields may be used for decisions and are shown; `sealed` fields name the person, encrypted under his own
/// data key (docs/privacy.md lists which trait goes where).
struct Profile {
  std::map<std::string, std::string> open;    ///< language, timezone, country
  std::map<std::string, std::string> sealed;  ///< id, email, phone, name: AES-256-GCM
  friend bool operator==(const Profile&, const Profile&) = default;
};
std::string encode(const Profile& profile);
base::Result<Profile> decode_profile(std::string_view bytes);

/// One data key per customer, in an SQLite file of its own that is never part of a snapshot: deleting the key erases his sealed
/// fields wherever they were copied. Not thread-safe.
class DataKeys {
 public:
  virtual ~DataKeys() = default;
  /// Keys of these customers; missing ones are made, all in one transaction.
  virtual base::Result<std::vector<std::string>> get_or_make(std::span<const privacy::Pseudonym> customers) = 0;
  virtual base::Result<std::optional<std::string>> find(const privacy::Pseudonym& customer) = 0;
  virtual base::Status erase(const privacy::Pseudonym& customer) = 0;
};
base::Result<std::unique_ptr<DataKeys>> open_data_keys(const std::string& file, const privacy::KeyRing& ring);

/// Rows: 'p' profile, 'c' consent records, 'k' link id → person, 'K' person → id, 'f' flag, 's' suppression.
/// Readers may run beside one writer.
class People {
 public:
  explicit People(KeyValue& rows) : rows_(rows) {}

  base::Result<std::optional<Profile>> profile(const privacy::Pseudonym& customer) const;
  static void put_profile(const privacy::Pseudonym& customer, const Profile& profile, WriteBatch& changes);

  base::Result<privacy::Consent> consent(const privacy::Pseudonym& customer) const;
  static void put_consent(const privacy::Pseudonym& customer, const privacy::ConsentRecord& record, WriteBatch& changes);

  /// From now on `id` is read as `person`, whoever it was linked to before.
  static void put_link(const privacy::Pseudonym& id, const privacy::Pseudonym& person, WriteBatch& changes);
  base::Result<std::optional<privacy::Pseudonym>> person_of(const privacy::Pseudonym& id) const;
  base::Result<std::vector<privacy::Pseudonym>> ids_of(const privacy::Pseudonym& person) const;
  /// id → person, of the whole shop. Links are few next to events.
  base::Result<std::unordered_map<privacy::Pseudonym, privacy::Pseudonym>> links() const;

  static void put_flag(const privacy::Pseudonym& customer, const std::string& reason, WriteBatch& changes);
  static void remove_flag(const privacy::Pseudonym& customer, WriteBatch& changes);
  base::Result<std::string> flag(const privacy::Pseudonym& customer) const;

  /// Time of the erasure; events up to it are not taken back in.
  base::Result<std::optional<base::Instant>> suppressed_at(const privacy::Pseudonym& customer) const;
  /// Removes every row of the customer in every table and leaves the suppression row, in one batch with the changes in `with`. Answers
  /// how many rows went.
  base::Result<std::int64_t> erase(const privacy::Pseudonym& customer, base::Instant now, const WriteBatch& with = {});

  /// Customers with a profile, a timeline or both, each person once (linked ids are not listed), in key order.
  base::Status for_each(const std::function<bool(const privacy::Pseudonym&)>& visit) const;

 private:
  base::Status remove_old_links(const std::vector<privacy::Pseudonym>& ids, WriteBatch& changes) const;
  KeyValue& rows_;
};

/// Key of a customer's row: partition byte, table byte, pseudonym, rest.
std::string customer_key(char table, const privacy::Pseudonym& customer, std::string_view rest = {});

/// The person's whole history: his own timeline and those of every id linked to him, by time.
base::Result<std::vector<events::Event>> read_person(const KeyValue& rows, const privacy::Pseudonym& person, base::Instant as_of);
/// Person after person; ids that are linked to a person come with him, not alone.
base::Status for_each_person(const KeyValue& rows, base::Instant as_of,
                             const std::function<bool(const privacy::Pseudonym&, std::vector<events::Event>&)>& visit);

}  // namespace beckon::store
