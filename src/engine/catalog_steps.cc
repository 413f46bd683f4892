#include "beckon/catalog/item.h"
#include "beckon/engine/engine.h"
#include "beckon/table/lines.h"

namespace beckon::engine {
namespace {

constexpr std::size_t kFeedBytesMax = std::size_t{4} << 30;

base::Result<std::string> read_whole(const std::string& file) {
  BECKON_TRY(auto source, table::LineSource::open(file));
  std::string text;
  for (;;) {
    BECKON_TRY(const table::Block block, source->next());
    if (block.lines.empty()) {
      return text;
    }
    for (const table::Line& line : block.lines) {
      if (line.too_long || text.size() > kFeedBytesMax) {
        return base::invalid_argument(file + ":" + std::to_string(line.number) + ": a line of more than a mebibyte: is this a product feed?");
      }
      text.append(line.text).push_back('\n');
    }
  }
}

}  // namespace

base::Result<base::Json> import_catalog(Context& context, const std::string& file) {
  BECKON_TRY(const std::string text, read_whole(file));
  const catalog::Market& market = context.config.shop.default_market();
  catalog::FeedOptions options;
  options.columns = context.config.shop.catalog_columns;
  options.currency = market.currency;
  options.language = market.language;
  options.as_of = context.clock->now();
  options.zone = market.time_zone();
  auto feed = catalog::parse_feed(text, options);
  if (!feed.ok()) {
    return feed.error().at(file);
  }
  BECKON_TRY(const auto counts, store::Shelf(*context.rows).import(feed->items, context.clock->now()));
  std::map<std::string, std::int64_t> by_reason;
  std::string lines;
  for (const auto& reject : feed->rejects) {
    ++by_reason[reject.field.empty() ? reject.reason : reject.field + ": " + reject.reason];
    lines += base::to_line({{"file", file.substr(file.rfind('/') + 1)}, {"line", reject.line}, {"field", reject.field}, {"reason", reject.reason}}) + "\n";
  }
  if (!lines.empty()) {
    BECKON_TRY(const auto out, context.files->open_append(context.path("data/rejects.jsonl")));
    BECKON_TRY_STATUS(out->append(lines));
    BECKON_TRY_STATUS(out->sync());
  }
  return base::Json{{"read", feed->rows},
                    {"items", static_cast<std::int64_t>(feed->items.size())},
                    {"added", counts.added},
                    {"changed", counts.changed},
                    {"unchanged", counts.unchanged},
                    {"price_points", counts.price_points},
                    {"rejected", static_cast<std::int64_t>(feed->rejects.size())},
                    {"rejected_by_reason", by_reason},
                    {"exit", feed->rejects.empty() ? 0 : 5}};
}

}  // namespace beckon::engine
