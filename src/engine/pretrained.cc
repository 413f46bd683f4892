#include "pretrained.h"

#include <unordered_map>

namespace beckon::engine {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr std::string_view kExtension = ".safetensors";

base::Result<std::string> facts_path(const std::string& path) {
  if (!path.ends_with(kExtension)) {
    return base::invalid_argument(path + ": a checkpoint is a file that ends with " + std::string(kExtension) +
                                  ", such as model/pretrained.safetensors of a shop");
  }
  return path.substr(0, path.size() - kExtension.size()) + ".json";
}

}  // namespace

std::string pretrained_path(const Context& context) { return context.path("model/pretrained.safetensors"); }

base::Result<Pretrained> load_pretrained(const base::FileSystem& files, const std::string& path) {
  BECKON_TRY(const std::string facts, facts_path(path));
  BECKON_TRY(const std::string text, files.read(facts));
  const auto json = base::parse_json(text);
  const bool whole = json.ok() && json->is_object() && json->contains("vocabulary") && json->at("vocabulary").is_array() &&
                     json->contains("learned_until_ms") && json->contains("shop");
  if (!whole) {
    return base::data_loss(facts + ": damaged, or written by a version that did not fine-tune: run beckon train --pretrain");
  }
  BECKON_TRY(auto weights, model::Model::load(files, path));
  Pretrained out{std::move(weights), {std::string()}, words_from(json->value("item_words", base::Json::object())), base::string_or(*json, "shop"), {base::int_or(*json, "learned_until_ms")},
                 base::real_or(*json, "seconds")};
  for (const auto& item : json->at("vocabulary")) {
    out.items.push_back(item.is_string() ? item.get<std::string>() : std::string());
  }
  if (out.items.size() != out.weights.tokens()) {
    return base::data_loss(facts + " does not belong to the weights beside it: run beckon train --pretrain");
  }
  return out;
}

base::Status save_pretrained(Context& context, const Pretrained& pretrained) {
  const std::string path = pretrained_path(context);
  BECKON_TRY(const std::string facts, facts_path(path));
  base::Json items = base::Json::array();
  for (std::size_t i = 1; i < pretrained.items.size(); ++i) {
    items.push_back(pretrained.items[i]);
  }
  const base::Json json = {{"schema", kSchemaVersion},
                           {"shop", pretrained.shop},
                           {"learned_until_ms", pretrained.learned_until.ms},
                           {"learned_until", base::format_time(pretrained.learned_until)},
                           {"seconds", pretrained.seconds},
                           {"item_words", words_json(pretrained.words)},
                           {"vocabulary", std::move(items)}};
  // Without its facts the old file is nothing to start from: a crash between the two writes costs a pre-training, not a wrong one.
  if (context.files->exists(facts)) {
    BECKON_TRY_STATUS(context.files->remove(facts));
  }
  BECKON_TRY_STATUS(pretrained.weights.save(*context.files, path));
  return context.files->write_atomic(facts, base::to_line(json) + "\n");
}

std::string foreign_item(const std::string& shop, const std::string& item) { return shop + '\x1f' + item; }

std::vector<std::int32_t> continued_rows(const features::Vocabulary& vocabulary, const std::string& shop, const Pretrained& pretrained) {
  std::unordered_map<std::string, std::int32_t> rows;
  for (std::size_t i = 1; i < pretrained.items.size(); ++i) {
    rows.emplace(pretrained.items[i], static_cast<std::int32_t>(i));
  }
  std::vector<std::int32_t> out(static_cast<std::size_t>(vocabulary.size()), 0);
  for (std::int32_t t = 1; t < vocabulary.size(); ++t) {
    const std::string& item = vocabulary.item(t);
    const auto found = rows.find(shop == pretrained.shop ? item : foreign_item(shop, item));
    out[static_cast<std::size_t>(t)] = found == rows.end() ? 0 : found->second;
  }
  return out;
}

}  // namespace beckon::engine
