// The only user of expat: Google product feeds as RSS 2.0 (<item>) or Atom (<entry>), attributes with or without the g: prefix.
#include <expat.h>

#include <memory>
#include <optional>

#include "beckon/base/csv.h"
#include "beckon/catalog/item.h"

namespace beckon::catalog {
namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kTextBytesMax = 64 << 10;

struct Reading {
  XML_Parser parser = nullptr;
  const FeedOptions* options = nullptr;
  Feed feed;
  int depth = 0;
  int entry_depth = 0;  // 0: outside an entry
  std::int64_t entry_line = 0;
  std::map<std::string, std::string> fields;
  std::string text;
  bool too_long = false;
};

std::string local_name(const char* name) {
  const std::string text(name);
  const auto colon = text.rfind(':');
  return colon == std::string::npos ? text : text.substr(colon + 1);
}

std::string role_of_element(const std::string& name, const FeedOptions& options) {
  for (const auto& [role, column] : options.columns) {
    if (column == name) {
      return role;
    }
  }
  static const std::map<std::string, std::string> kRoles{
      {"product_type", "category"}, {"google_product_category", "category"}, {"cost_of_goods_sold", "cost"},
      {"quantity", "stock"}, {"summary", "description"}};
  const auto found = kRoles.find(name);
  return found == kRoles.end() ? name : found->second;
}

void on_start(void* data, const char* name, const char** /*attributes*/) {
  auto& reading = *static_cast<Reading*>(data);
  if (++reading.depth > kDepthMax) {
    XML_StopParser(reading.parser, XML_FALSE);
    return;
  }
  const std::string local = local_name(name);
  if (reading.entry_depth == 0 && (local == "item" || local == "entry")) {
    reading.entry_depth = reading.depth;
    reading.entry_line = static_cast<std::int64_t>(XML_GetCurrentLineNumber(reading.parser));
    reading.fields.clear();
    reading.too_long = false;
  }
  reading.text.clear();
}

void finish_entry(Reading& reading) {
  reading.entry_depth = 0;
  ++reading.feed.rows;
  if (reading.too_long) {
    reading.feed.rejects.push_back({reading.entry_line, "", "text_too_long"});
    return;
  }
  auto item = item_from_fields(reading.fields, *reading.options);
  if (item.ok()) {
    reading.feed.items.push_back(std::move(item).value());
    return;
  }
  const std::string& message = item.error().message;
  reading.feed.rejects.push_back(
      {reading.entry_line, message.substr(0, message.find('/')), message.substr(message.find('/') + 1)});
}

void on_end(void* data, const char* name) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.entry_depth != 0 && reading.depth == reading.entry_depth) {
    finish_entry(reading);
  } else if (reading.entry_depth != 0 && reading.depth == reading.entry_depth + 1) {
    const std::string text(base::trimmed(reading.text));
    const std::string role = role_of_element(local_name(name), *reading.options);
    if (!text.empty() && !reading.fields.contains(role)) {
      reading.fields[role] = text;
    }
  }
  --reading.depth;
  reading.text.clear();
}

void on_text(void* data, const char* text, int length) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.text.size() + static_cast<std::size_t>(length) > kTextBytesMax) {
    reading.too_long = true;
    return;
  }
  reading.text.append(text, static_cast<std::size_t>(length));
}

// Declared entities are how XML bombs grow; a feed needs none.
void on_entity(void* data, const char*, int, const char*, int, const char*, const char*, const char*, const char*) {
  XML_StopParser(static_cast<Reading*>(data)->parser, XML_FALSE);
}

}  // namespace

base::Result<Feed> parse_feed_xml(std::string_view bytes, const FeedOptions& options) {
  const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"),
                                                                                             &XML_ParserFree);
  Reading reading;
  reading.parser = parser.get();
  reading.options = &options;
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetEntityDeclHandler(parser.get(), on_entity);
  constexpr std::size_t kPiece = 1 << 20;
  for (std::size_t at = 0; at <= bytes.size(); at += kPiece) {
    const std::string_view piece = bytes.substr(at, kPiece);
    const bool last = at + kPiece >= bytes.size();
    if (XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), last ? 1 : 0) == XML_STATUS_ERROR) {
      return base::invalid_argument("line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                                    ": not a readable XML feed (" + XML_ErrorString(XML_GetErrorCode(parser.get())) + ")");
    }
    if (last) {
      break;
    }
  }
  return std::move(reading.feed);
}

}  // namespace beckon::catalog
