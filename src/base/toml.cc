// The only user of toml++.
#include "beckon/base/toml.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <sstream>
#include <toml++/toml.h>

#include "beckon/base/codec.h"

namespace beckon::base {

struct TomlNode {
  struct Document {
    toml::table root;
    std::string file;
    std::string problem;  // first one wins
  };
  std::shared_ptr<Document> document;
  const toml::table* table = nullptr;  // null: absent, every key has its default
  std::string path;                    // "channel.email"
  std::set<std::string, std::less<>> asked;
  std::map<std::string, std::shared_ptr<TomlNode>, std::less<>> tables;
  std::map<std::string, std::vector<std::shared_ptr<TomlNode>>, std::less<>> arrays;
};

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j - 1] + 1, up + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = up;
    }
  }
  return row.back();
}

std::shared_ptr<TomlNode> child_of(const TomlNode& parent, const toml::table* table, std::string path) {
  auto node = std::make_shared<TomlNode>();
  node->document = parent.document;
  node->table = table;
  node->path = std::move(path);
  return node;
}

// First key below `node` that nobody asked for.
Status find_unknown(const TomlNode& node) {
  if (node.table == nullptr) {
    return ok_status();
  }
  for (const auto& [key, value] : *node.table) {
    if (!node.asked.contains(key.str())) {
      const std::vector<std::string> known(node.asked.begin(), node.asked.end());
      const std::string near = nearest_word(key.str(), known);
      std::string message = node.document->file + ":" + std::to_string(key.source().begin.line) +
                            ": unknown key '" + std::string(key.str()) + "'" +
                            (node.path.empty() ? "" : " in [" + node.path + "]");
      if (!near.empty()) {
        message += ": did you mean '" + near + "'?";
      } else {
        std::string list;
        for (const auto& word : known) {
          list += (list.empty() ? "" : ", ") + word;
        }
        message += ": known keys are " + list;
      }
      return invalid_argument(message);
    }
  }
  for (const auto& [key, child] : node.tables) {
    BECKON_TRY_STATUS(find_unknown(*child));
  }
  for (const auto& [key, children] : node.arrays) {
    for (const auto& child : children) {
      BECKON_TRY_STATUS(find_unknown(*child));
    }
  }
  return ok_status();
}

const toml::node* lookup(TomlNode& node, std::string_view key) {
  node.asked.emplace(key);
  return node.table == nullptr ? nullptr : node.table->get(key);
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

Result<TomlTable> TomlTable::parse(std::string_view text, std::string file) {
  auto document = std::make_shared<TomlNode::Document>();
  document->file = std::move(file);
  if (!is_utf8(text)) {
    return invalid_argument(document->file + ": not UTF-8: save the file as UTF-8");
  }
  try {
    document->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return invalid_argument(document->file + ":" + std::to_string(error.source().begin.line) +
                            ": not TOML: " + std::string(error.description()));
  }
  auto node = std::make_shared<TomlNode>();
  node->table = &document->root;
  node->document = std::move(document);
  return TomlTable(std::move(node));
}

bool TomlTable::has(std::string_view key) const { return lookup(*node_, key) != nullptr; }

std::string TomlTable::where(std::string_view key) const {
  std::string out = node_->document->file;
  const toml::node* found = node_->table == nullptr ? nullptr : node_->table->get(key);
  if (found != nullptr) {
    out += ":" + std::to_string(found->source().begin.line);
  }
  return out + ": " + (node_->path.empty() ? "" : "[" + node_->path + "] ") + std::string(key);
}

void TomlTable::fail(std::string_view key, std::string_view problem) {
  if (node_->document->problem.empty()) {
    node_->document->problem = where(key) + ": " + std::string(problem);
  }
}

std::string TomlTable::text(std::string_view key, std::string fallback) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  if (const auto* value = found->as_string()) {
    return value->get();
  }
  fail(key, "must be a text in quotes");
  return fallback;
}

std::string TomlTable::required_text(std::string_view key) {
  if (!has(key)) {
    fail(key, "is missing");
  }
  return text(key);
}

std::int64_t TomlTable::integer(std::string_view key, std::int64_t fallback, Range range) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  const auto* value = found->as_integer();
  if (value == nullptr) {
    fail(key, "must be a whole number");
    return fallback;
  }
  const auto as_real = static_cast<double>(value->get());
  if (as_real < range.from || as_real > range.to) {
    std::ostringstream bounds;
    bounds << "must lie between " << range.from << " and " << range.to;
    fail(key, bounds.str());
    return fallback;
  }
  return value->get();
}

double TomlTable::real(std::string_view key, double fallback, Range range) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  const auto value = found->value<double>();
  if (!value.has_value() || !found->is_number()) {
    fail(key, "must be a number");
    return fallback;
  }
  if (!(*value >= range.from && *value <= range.to)) {
    std::ostringstream bounds;
    bounds << "must lie between " << range.from << " and " << range.to;
    fail(key, bounds.str());
    return fallback;
  }
  return *value;
}

bool TomlTable::boolean(std::string_view key, bool fallback) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  if (const auto* value = found->as_boolean()) {
    return value->get();
  }
  fail(key, "must be true or false");
  return fallback;
}

std::vector<std::string> TomlTable::texts(std::string_view key, std::vector<std::string> fallback) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  const auto* list = found->as_array();
  std::vector<std::string> out;
  if (list == nullptr) {
    fail(key, "must be a list of texts");
    return fallback;
  }
  for (const auto& entry : *list) {
    if (const auto* value = entry.as_string()) {
      out.push_back(value->get());
    } else {
      fail(key, "must be a list of texts");
    }
  }
  return out;
}

std::string TomlTable::amount(std::string_view key, std::string fallback) {
  const toml::node* found = lookup(*node_, key);
  if (found == nullptr) {
    return fallback;
  }
  if (const auto* value = found->as_string()) {
    return value->get();
  }
  if (const auto* value = found->as_integer()) {
    return std::to_string(value->get());
  }
  if (const auto* value = found->as_floating_point()) {
    std::ostringstream out;
    out.precision(15);
    out << value->get();
    return out.str();
  }
  fail(key, "must be an amount such as 12.50");
  return fallback;
}

std::string TomlTable::choice(std::string_view key,
                              const std::vector<std::string>& allowed,
                              std::string fallback) {
  std::string value = text(key, fallback);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    std::string list;
    for (const auto& word : allowed) {
      list += (list.empty() ? "" : ", ") + word;
    }
    fail(key, "'" + value + "' is not one of " + list);
    return fallback;
  }
  return value;
}

TomlTable TomlTable::table(std::string_view key) {
  const toml::node* found = lookup(*node_, key);
  auto& child = node_->tables[std::string(key)];
  if (!child) {
    const toml::table* inner = found == nullptr ? nullptr : found->as_table();
    if (found != nullptr && inner == nullptr) {
      fail(key, "must be a table");
    }
    child = child_of(*node_, inner, node_->path.empty() ? std::string(key) : node_->path + "." + std::string(key));
  }
  return TomlTable(child);
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  const toml::node* found = lookup(*node_, key);
  auto& children = node_->arrays[std::string(key)];
  if (children.empty() && found != nullptr) {
    const auto* list = found->as_array();
    if (list == nullptr) {
      fail(key, "must be a list of tables, written [[" + std::string(key) + "]]");
      return {};
    }
    for (const auto& entry : *list) {
      if (entry.as_table() == nullptr) {
        fail(key, "must be a list of tables");
        continue;
      }
      children.push_back(child_of(*node_, entry.as_table(), std::string(key)));
    }
  }
  std::vector<TomlTable> out;
  for (const auto& child : children) {
    out.push_back(TomlTable(child));
  }
  return out;
}

std::vector<std::string> TomlTable::keys() {
  std::vector<std::pair<std::uint32_t, std::string>> ordered;
  if (node_->table != nullptr) {
    for (const auto& [key, value] : *node_->table) {
      node_->asked.emplace(key.str());
      ordered.emplace_back(key.source().begin.line, std::string(key.str()));
    }
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (auto& [line, key] : ordered) {
    out.push_back(std::move(key));
  }
  return out;
}

Status TomlTable::finish() const {
  if (!node_->document->problem.empty()) {
    return invalid_argument(node_->document->problem);
  }
  return find_unknown(*node_);
}

}  // namespace beckon::base
