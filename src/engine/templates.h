#pragma once
// Private to engine: what `beckon init --template NAME` writes. One commented beckon.toml per kind of shop, with sample rows.

#include <string>
#include <string_view>
#include <vector>

namespace beckon::engine {

struct TemplateFile {
  std::string_view path;   ///< within the shop folder
  std::string_view text;
};

struct ShopTemplate {
  std::string name;
  std::string config;
  std::vector<TemplateFile> files;
};

const std::vector<ShopTemplate>& shop_templates();

}  // namespace beckon::engine
