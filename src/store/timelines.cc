#include <algorithm>
#include <cstring>
#include <set>

#include "beckon/store/store.h"

namespace beckon::store {
namespace {

constexpr std::size_t kPrefixBytes = 2 + privacy::Pseudonym::kBytes;
constexpr std::size_t kKeyBytes = kPrefixBytes + 16;

std::string prefix_of(const privacy::Pseudonym& customer) {
  std::string key(1, static_cast<char>(customer.partition()));
  key.push_back('t');
  return key + customer.bytes();
}

std::string key_of(const events::Event& event) {
  std::string key = prefix_of(event.customer);
  key.append(reinterpret_cast<const char*>(event.id.data()), event.id.size());
  return key;
}

base::Result<events::Event> decode_row(std::string_view key, std::string_view value) {
  if (key.size() != kKeyBytes) {
    return base::data_loss("a timeline key has a wrong length: restore the shop from a backup");
  }
  BECKON_TRY(const auto customer, privacy::Pseudonym::from_bytes(key.substr(2, privacy::Pseudonym::kBytes)));
  events::EventId id{};
  std::memcpy(id.data(), key.data() + kPrefixBytes, id.size());
  return events::decode(value, customer, id);
}

void sort_by_time(std::vector<events::Event>& window) {
  std::sort(window.begin(), window.end(), [](const events::Event& a, const events::Event& b) {
    return a.at != b.at ? a.at < b.at : a.place != b.place ? a.place < b.place : a.id < b.id;
  });
}

}  // namespace

base::Result<AppendCounts> Timelines::append(std::span<const events::Event> batch, WriteBatch with) {
  AppendCounts counts;
  // Sorted keys: neighbours share blocks when looked up, and the memtable takes them faster.
  std::vector<std::pair<std::string, const events::Event*>> rows;
  for (const auto& event : batch) {
    rows.emplace_back(key_of(event), &event);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto last = std::unique(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  counts.duplicates = rows.end() - last;
  rows.erase(last, rows.end());
  std::vector<std::string> keys;
  for (auto& [key, event] : rows) {
    keys.push_back(key);
  }
  BECKON_TRY(const auto stored, rows_.get_many(keys));
  WriteBatch changes = std::move(with);
  const std::size_t others = changes.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (stored[i].has_value()) {
      ++counts.duplicates;
    } else {
      changes.put(std::move(rows[i].first), events::encode(*rows[i].second));
    }
  }
  counts.added = static_cast<std::int64_t>(changes.size() - others);
  if (!changes.empty()) {
    BECKON_TRY_STATUS(rows_.write(changes));
  }
  return counts;
}

base::Result<std::vector<events::Event>> Timelines::read(const privacy::Pseudonym& customer, base::Instant as_of) const {
  std::vector<events::Event> window;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows_.scan(prefix_of(customer), [&](std::string_view key, std::string_view value) {
    auto event = decode_row(key, value);
    if (!event.ok()) {
      problem = event.error();
      return false;
    }
    if (event->at <= as_of) {
      window.push_back(std::move(event).value());
    }
    return true;
  }));
  BECKON_TRY_STATUS(problem);
  sort_by_time(window);
  return window;
}

base::Status Timelines::for_each(
    base::Instant as_of,
    const std::function<bool(const privacy::Pseudonym&, std::vector<events::Event>&)>& visit) const {
  base::Status problem = base::ok_status();
  bool go_on = true;
  std::vector<events::Event> window;
  const auto flush = [&] {
    if (go_on && !window.empty()) {
      sort_by_time(window);
      const privacy::Pseudonym customer = window.front().customer;
      go_on = visit(customer, window);
    }
    window.clear();
  };
  for (int partition = 0; partition < 256 && go_on && problem.ok(); ++partition) {
    const std::string prefix{static_cast<char>(partition), 't'};
    BECKON_TRY_STATUS(rows_.scan(prefix, [&](std::string_view key, std::string_view value) {
      auto event = decode_row(key, value);
      if (!event.ok()) {
        problem = event.error();
        return false;
      }
      if (!window.empty() && window.front().customer != event->customer) {
        flush();
      }
      if (event->at <= as_of) {
        window.push_back(std::move(event).value());
      }
      return go_on;
    }));
    flush();
  }
  return problem;
}

base::Result<std::int64_t> Timelines::erase(const privacy::Pseudonym& customer) {
  WriteBatch changes;
  BECKON_TRY_STATUS(rows_.scan(prefix_of(customer), [&](std::string_view key, std::string_view) {
    changes.remove(std::string(key));
    return true;
  }));
  BECKON_TRY_STATUS(rows_.write(changes));
  return static_cast<std::int64_t>(changes.size());
}

}  // namespace beckon::store
