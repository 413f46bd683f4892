#include "beckon/store/people.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "beckon/base/codec.h"

namespace beckon::store {
namespace {

constexpr std::uint8_t kSchemaVersion = 1;
// Every table that holds rows of a customer; erase() walks them all.
constexpr std::string_view kCustomerTables = "tpckKfsdl";

void write_fields(base::Writer& out, const std::map<std::string, std::string>& fields) {
  out.varint(fields.size());
  for (const auto& [name, value] : fields) {
    out.text(name);
    out.text(value);
  }
}

std::map<std::string, std::string> read_fields(base::Reader& in) {
  std::map<std::string, std::string> fields;
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::string name(in.text());
    fields[name] = in.text();
  }
  return fields;
}

base::Result<privacy::ConsentRecord> decode_consent(std::string_view bytes) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  base::Reader in(payload);
  const bool known = in.u8() == kSchemaVersion;
  privacy::ConsentRecord record;
  const std::uint8_t purpose = in.u8();
  record.purpose = static_cast<privacy::Purpose>(purpose);
  record.channel = in.text();
  record.granted = in.u8() != 0;
  record.at.ms = in.zigzag();
  record.basis = in.text();
  record.source = in.text();
  if (!known || in.failed() || purpose == 0 || purpose > 3) {
    return base::data_loss("a consent record is damaged or newer: restore it from a backup");
  }
  return record;
}

base::Result<privacy::Pseudonym> customer_of(std::string_view key) {
  return privacy::Pseudonym::from_bytes(key.substr(2, privacy::Pseudonym::kBytes));
}

}  // namespace

std::string customer_key(char table, const privacy::Pseudonym& customer, std::string_view rest) {
  std::string key(1, static_cast<char>(customer.partition()));
  key.push_back(table);
  key += customer.bytes();
  return key.append(rest);
}

std::string encode(const Profile& profile) {
  base::Writer out;
  out.u8(kSchemaVersion);
  write_fields(out, profile.open);
  write_fields(out, profile.sealed);
  return base::seal(out.view());
}

base::Result<Profile> decode_profile(std::string_view bytes) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  base::Reader in(payload);
  if (in.u8() != kSchemaVersion) {
    return base::data_loss("a profile was written by a newer beckon: update this one");
  }
  Profile profile;
  profile.open = read_fields(in);
  profile.sealed = read_fields(in);
  if (in.failed() || !in.at_end()) {
    return base::data_loss("a profile is damaged: restore it from a backup");
  }
  return profile;
}

base::Result<std::optional<Profile>> People::profile(const privacy::Pseudonym& customer) const {
  BECKON_TRY(const auto bytes, rows_.get(customer_key('p', customer)));
  if (!bytes.has_value()) {
    return std::optional<Profile>();
  }
  BECKON_TRY(auto profile, decode_profile(*bytes));
  return std::optional<Profile>(std::move(profile));
}

void People::put_profile(const privacy::Pseudonym& customer, const Profile& profile, WriteBatch& changes) {
  changes.put(customer_key('p', customer), encode(profile));
}

base::Result<privacy::Consent> People::consent(const privacy::Pseudonym& customer) const {
  privacy::Consent consent;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows_.scan(customer_key('c', customer), [&](std::string_view, std::string_view value) {
    auto record = decode_consent(value);
    if (!record.ok()) {
      problem = record.error();
      return false;
    }
    consent.records.push_back(std::move(record).value());
    return true;
  }));
  BECKON_TRY_STATUS(problem);
  return consent;
}

void People::put_consent(const privacy::Pseudonym& customer, const privacy::ConsentRecord& record, WriteBatch& changes) {
  base::Writer rest;  // the same statement read twice is one row
  rest.u8(static_cast<std::uint8_t>(record.purpose));
  rest.text(record.channel);
  rest.be64(static_cast<std::uint64_t>(record.at.ms));
  rest.u8(record.granted ? 1 : 0);
  base::Writer out;
  out.u8(kSchemaVersion);
  out.u8(static_cast<std::uint8_t>(record.purpose));
  out.text(record.channel);
  out.u8(record.granted ? 1 : 0);
  out.zigzag(record.at.ms);
  out.text(record.basis);
  out.text(record.source);
  changes.put(customer_key('c', customer, rest.view()), base::seal(out.view()));
}

void People::put_link(const privacy::Pseudonym& id, const privacy::Pseudonym& person, WriteBatch& changes) {
  changes.put(customer_key('k', id), person.bytes());
  changes.put(customer_key('K', person, id.bytes()), "");
}

base::Result<std::optional<privacy::Pseudonym>> People::person_of(const privacy::Pseudonym& id) const {
  BECKON_TRY(const auto bytes, rows_.get(customer_key('k', id)));
  if (!bytes.has_value()) {
    return std::optional<privacy::Pseudonym>();
  }
  BECKON_TRY(const auto person, privacy::Pseudonym::from_bytes(*bytes));
  return std::optional<privacy::Pseudonym>(person);
}

base::Result<std::vector<privacy::Pseudonym>> People::ids_of(const privacy::Pseudonym& person) const {
  std::vector<privacy::Pseudonym> ids;
  base::Status problem = base::ok_status();
  const std::string prefix = customer_key('K', person);
  BECKON_TRY_STATUS(rows_.scan(prefix, [&](std::string_view key, std::string_view) {
    const auto id = privacy::Pseudonym::from_bytes(key.substr(prefix.size()));
    problem = id.ok() ? base::ok_status() : base::Status(id.error());
    if (id.ok()) {
      ids.push_back(*id);
    }
    return id.ok();
  }));
  BECKON_TRY_STATUS(problem);
  // A device that two people use is linked twice: its events belong to the person of the latest link alone.
  std::vector<privacy::Pseudonym> own;
  for (const auto& id : ids) {
    BECKON_TRY(const auto latest, person_of(id));
    if (latest == person) {
      own.push_back(id);
    }
  }
  return own;
}

base::Result<std::unordered_map<privacy::Pseudonym, privacy::Pseudonym>> People::links() const {
  std::unordered_map<privacy::Pseudonym, privacy::Pseudonym> out;
  base::Status problem = base::ok_status();
  for (int partition = 0; partition < 256; ++partition) {
    BECKON_TRY_STATUS(rows_.scan(std::string{static_cast<char>(partition), 'k'}, [&](std::string_view key, std::string_view value) {
      const auto id = customer_of(key);
      const auto person = privacy::Pseudonym::from_bytes(value);
      if (!id.ok() || !person.ok()) {
        problem = base::data_loss("a link between customer ids is damaged: restore it from a backup");
        return false;
      }
      out.emplace(*id, *person);
      return true;
    }));
    BECKON_TRY_STATUS(problem);
  }
  return out;
}

void People::put_flag(const privacy::Pseudonym& customer, const std::string& reason, WriteBatch& changes) {
  changes.put(customer_key('f', customer), reason);
}

void People::remove_flag(const privacy::Pseudonym& customer, WriteBatch& changes) { changes.remove(customer_key('f', customer)); }

base::Result<std::string> People::flag(const privacy::Pseudonym& customer) const {
  BECKON_TRY(const auto reason, rows_.get(customer_key('f', customer)));
  return reason.value_or("");
}

base::Result<std::optional<base::Instant>> People::suppressed_at(const privacy::Pseudonym& customer) const {
  BECKON_TRY(const auto bytes, rows_.get(customer_key('s', customer)));
  if (!bytes.has_value()) {
    return std::optional<base::Instant>();
  }
  base::Reader in(*bytes);
  const base::Instant at{in.zigzag()};
  return in.failed() ? base::Result<std::optional<base::Instant>>(base::data_loss("a suppression row is damaged"))
                     : std::optional<base::Instant>(at);
}

// Rows of other people who once used the same device name its id too.
base::Status People::remove_old_links(const std::vector<privacy::Pseudonym>& ids, WriteBatch& changes) const {
  const std::set<privacy::Pseudonym> gone(ids.begin(), ids.end());
  for (int partition = 0; partition < 256; ++partition) {
    BECKON_TRY_STATUS(rows_.scan(std::string{static_cast<char>(partition), 'K'}, [&](std::string_view key, std::string_view) {
      const auto person = customer_of(key);
      const auto id = privacy::Pseudonym::from_bytes(key.substr(2 + privacy::Pseudonym::kBytes));
      if (person.ok() && id.ok() && gone.contains(*id) && !gone.contains(*person)) {
        changes.remove(std::string(key));
      }
      return true;
    }));
  }
  return base::ok_status();
}

base::Result<std::int64_t> People::erase(const privacy::Pseudonym& customer, base::Instant now, const WriteBatch& with) {
  BECKON_TRY(auto ids, ids_of(customer));
  ids.push_back(customer);
  WriteBatch changes = with;
  for (const auto& id : ids) {
    for (const char table : kCustomerTables) {
      BECKON_TRY_STATUS(rows_.scan(customer_key(table, id), [&](std::string_view key, std::string_view) {
        changes.remove(std::string(key));
        return true;
      }));
    }
  }
  BECKON_TRY_STATUS(remove_old_links(ids, changes));
  const auto removed = static_cast<std::int64_t>(changes.size() - with.size());
  for (const auto& id : ids) {
    base::Writer at;
    at.zigzag(now.ms);
    changes.put(customer_key('s', id), at.take());
  }
  BECKON_TRY_STATUS(rows_.write(changes));
  return removed;
}

base::Status People::for_each(const std::function<bool(const privacy::Pseudonym&)>& visit) const {
  bool go_on = true;
  for (int partition = 0; partition < 256 && go_on; ++partition) {
    std::set<std::string> found;
    std::set<std::string> linked;
    for (const char table : std::string_view("tpk")) {
      const std::string prefix{static_cast<char>(partition), table};
      BECKON_TRY_STATUS(rows_.scan(prefix, [&](std::string_view key, std::string_view) {
        (table == 'k' ? linked : found).emplace(key.substr(2, privacy::Pseudonym::kBytes));
        return true;
      }));
    }
    for (auto it = found.begin(); it != found.end() && go_on; ++it) {
      if (!linked.contains(*it)) {
        BECKON_TRY(const auto customer, privacy::Pseudonym::from_bytes(*it));
        go_on = visit(customer);
      }
    }
  }
  return base::ok_status();
}

base::Result<std::vector<events::Event>> read_person(const KeyValue& rows, const privacy::Pseudonym& person,
                                                     base::Instant as_of) {
  // Reading does not change the rows; Timelines and People take a mutable port because they also write.
  auto& port = const_cast<KeyValue&>(rows);
  const Timelines timelines(port);
  BECKON_TRY(auto window, timelines.read(person, as_of));
  BECKON_TRY(const auto ids, People(port).ids_of(person));
  for (const auto& id : ids) {
    BECKON_TRY(auto more, timelines.read(id, as_of));
    for (auto& event : more) {
      event.customer = person;
      window.push_back(std::move(event));
    }
  }
  // Each id's part is in order already, ties by place.
  std::stable_sort(window.begin(), window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return window;
}

base::Status for_each_person(const KeyValue& rows, base::Instant as_of,
                             const std::function<bool(const privacy::Pseudonym&, std::vector<events::Event>&)>& visit) {
  auto& port = const_cast<KeyValue&>(rows);
  BECKON_TRY(const auto linked, People(port).links());
  std::set<privacy::Pseudonym> persons;
  for (const auto& [id, person] : linked) {
    persons.insert(person);
  }
  base::Status problem = base::ok_status();
  bool go_on = true;
  std::set<privacy::Pseudonym> visited;
  BECKON_TRY_STATUS(Timelines(port).for_each(as_of, [&](const privacy::Pseudonym& customer, std::vector<events::Event>& window) {
    if (linked.contains(customer)) {
      return true;
    }
    if (!persons.contains(customer)) {
      go_on = visit(customer, window);
      return go_on;
    }
    visited.insert(customer);
    auto whole = read_person(rows, customer, as_of);
    problem = whole.ok() ? base::ok_status() : base::Status(whole.error());
    go_on = whole.ok() && visit(customer, *whole);
    return go_on;
  }));
  BECKON_TRY_STATUS(problem);
  // Persons who have no event under their own id yet.
  for (auto person = persons.begin(); person != persons.end() && go_on; ++person) {
    if (!visited.contains(*person) && !linked.contains(*person)) {
      BECKON_TRY(auto whole, read_person(rows, *person, as_of));
      go_on = whole.empty() || visit(*person, whole);
    }
  }
  return base::ok_status();
}

}  // namespace beckon::store
