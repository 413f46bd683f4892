#include "beckon/store/store.h"

namespace beckon::store {

base::Result<std::optional<std::string>> MemoryKeyValue::get(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = rows_.find(key);
  return found == rows_.end() ? std::optional<std::string>() : std::optional(found->second);
}

base::Result<std::vector<std::optional<std::string>>> MemoryKeyValue::get_many(std::span<const std::string> keys) const {
  std::vector<std::optional<std::string>> out;
  for (const auto& key : keys) {
    BECKON_TRY(auto value, get(key));
    out.push_back(std::move(value));
  }
  return out;
}

base::Status MemoryKeyValue::scan(std::string_view prefix,
                                  const std::function<bool(std::string_view, std::string_view)>& visit) const {
  std::map<std::string, std::string, std::less<>> snapshot;
  {
    const std::scoped_lock lock(mutex_);
    for (auto it = rows_.lower_bound(prefix); it != rows_.end() && it->first.starts_with(prefix); ++it) {
      snapshot.emplace_hint(snapshot.end(), it->first, it->second);
    }
  }
  for (const auto& [key, value] : snapshot) {
    if (!visit(key, value)) {
      break;
    }
  }
  return base::ok_status();
}

base::Status MemoryKeyValue::write(const WriteBatch& batch) {
  const std::scoped_lock lock(mutex_);
  const bool fails = fault_ != Fault::kNone && writes_until_fault_-- <= 0;
  if (fails && fault_ == Fault::kBefore) {
    return base::unavailable("the disk failed before the change (asked for by a test)");
  }
  for (const auto& [key, value] : batch.changes()) {
    if (value.has_value()) {
      rows_[key] = *value;
    } else {
      rows_.erase(key);
    }
  }
  return fails ? base::Status(base::unavailable("the disk failed after the change (asked for by a test)"))
                                 : base::ok_status();
}

}  // namespace beckon::store
