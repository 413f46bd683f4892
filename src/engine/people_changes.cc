#include "people_changes.h"

namespace beckon::engine {
namespace {

constexpr std::size_t kKnownMax = 2'000'000;

// As deliver opens it: table, owner and field are authenticated, so a value cannot be moved to another customer or field.
std::string seal_context(const privacy::Pseudonym& customer, const std::string& field) {
  return "profile|" + customer.bytes() + "|" + field;
}

}  // namespace

base::Status PeopleChanges::load() {
  for (int partition = 0; partition < 256; ++partition) {
    base::Status problem = base::ok_status();
    const std::string prefix{static_cast<char>(partition), 's'};
    BECKON_TRY_STATUS(context_.rows->scan(prefix, [&](std::string_view key, std::string_view value) {
      const auto customer = privacy::Pseudonym::from_bytes(key.substr(2, privacy::Pseudonym::kBytes));
      base::Reader in(value);
      if (!customer.ok()) {
        problem = customer.error();
        return false;
      }
      erased_[*customer] = {in.zigzag()};
      return true;
    }));
    BECKON_TRY_STATUS(problem);
  }
  return base::ok_status();
}

bool PeopleChanges::accepts(const events::Event& event) const {
  if (erased_.empty()) {
    return true;
  }
  const auto found = erased_.find(event.customer);
  return found == erased_.end() || event.at > found->second;
}

void PeopleChanges::import_consents(const privacy::Pseudonym& customer, store::WriteBatch& changes) const {
  for (const auto& import : context_.config.shop.consent_imports) {
    for (const auto purpose : import.purposes) {
      for (const auto& channel : import.channels) {
        store::People::put_consent(customer, {purpose, channel, true, import.at, import.basis, import.source}, changes);
      }
    }
  }
}

base::Status PeopleChanges::apply_one(const PersonChange& change, const std::string& key, store::WriteBatch& changes) {
  auto& profile = pending_[change.customer];
  if (profile.open.empty() && profile.sealed.empty()) {
    BECKON_TRY(auto stored, people_.profile(change.customer));
    if (stored.has_value()) {
      profile = std::move(*stored);
    }
  }
  const store::Profile before = profile;
  for (const auto& [name, value] : change.open) {
    profile.open[name] = value;
  }
  std::map<std::string, std::string> to_seal = change.to_seal;
  if (!change.original_id.empty() && !profile.sealed.contains("id")) {
    to_seal["id"] = change.original_id;
    ++new_customers_;
    import_consents(change.customer, changes);
  }
  for (const auto& [name, value] : to_seal) {
    const std::string context = seal_context(change.customer, name);
    const auto old = profile.sealed.find(name);
    const auto same = old == profile.sealed.end() ? base::Result<std::string>("") : privacy::decrypt(old->second, key, context);
    if (old == profile.sealed.end() || !same.ok() || *same != value) {
      profile.sealed[name] = privacy::encrypt(value, key, context);
    }
  }
  if (profile != before) {
    store::People::put_profile(change.customer, profile, changes);
  }
  for (const auto& record : change.consents) {
    store::People::put_consent(change.customer, record, changes);
  }
  if (change.link.has_value() && *change.link != change.customer) {
    store::People::put_link(*change.link, change.customer, changes);
  }
  return base::ok_status();
}

base::Status PeopleChanges::apply(const ParsedBlock& block, store::WriteBatch& changes) {
  pending_.clear();
  if (known_.size() > kKnownMax) {
    known_.clear();
  }
  std::vector<const PersonChange*> todo;
  std::vector<privacy::Pseudonym> with_key;
  std::unordered_map<privacy::Pseudonym, std::size_t> key_index;
  for (const auto& change : block.persons) {
    const bool says_only_who = change.open.empty() && change.to_seal.empty() && change.consents.empty() && !change.link.has_value();
    // An erased customer who comes back does so by a new event after the erasure, not by an old file.
    if ((says_only_who && known_.contains(change.customer)) || erased_.contains(change.customer)) {
      continue;
    }
    todo.push_back(&change);
    if (!change.original_id.empty() || !change.to_seal.empty()) {
      if (key_index.try_emplace(change.customer, with_key.size()).second) {
        with_key.push_back(change.customer);
      }
      known_.insert(change.customer);
    }
  }
  std::vector<std::string> keys;
  if (!with_key.empty()) {
    BECKON_TRY(keys, context_.keys->get_or_make(with_key));
  }
  for (const auto* change : todo) {
    const auto found = key_index.find(change->customer);
    BECKON_TRY_STATUS(apply_one(*change, found == key_index.end() ? std::string() : keys[found->second], changes));
  }
  return base::ok_status();
}

}  // namespace beckon::engine
