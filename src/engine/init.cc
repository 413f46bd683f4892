#include <sys/stat.h>

#include "beckon/engine/engine.h"
#include "templates.h"

namespace beckon::engine {

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const auto& entry : shop_templates()) {
    names.push_back(entry.name);
  }
  return names;
}

base::Result<base::Json> init_shop(base::FileSystem& files, const InitOptions& options) {
  const ShopTemplate* chosen = nullptr;
  for (const auto& entry : shop_templates()) {
    chosen = entry.name == options.template_name ? &entry : chosen;
  }
  if (chosen == nullptr) {
    const std::string near = base::nearest_word(options.template_name, template_names());
    std::string list;
    for (const auto& name : template_names()) {
      list += (list.empty() ? "" : ", ") + name;
    }
    return base::invalid_argument("no template '" + options.template_name + "'" +
                                  (near.empty() ? "" : ": did you mean '" + near + "'?") + " There are " + list);
  }
  const std::string config_path = options.folder + "/beckon.toml";
  if (files.exists(config_path)) {
    return base::Error{base::ErrorCode::kAlreadyExists, options.folder + " already holds a shop: choose another folder"};
  }
  for (const char* name : {"", "/data", "/campaigns", "/samples"}) {
    BECKON_TRY_STATUS(files.make_dirs(options.folder + name));
  }
  const std::string key_path = options.key_file.empty() ? options.folder + "/beckon.key" : options.key_file;
  const bool own_key = !files.exists(key_path);
  if (own_key) {
    BECKON_TRY_STATUS(files.write_atomic(key_path, base::to_hex(privacy::KeyRing::new_root_key()) + "\n"));
    if (::chmod(key_path.c_str(), 0400) != 0) {
      return base::Error{base::ErrorCode::kPermissionDenied, "cannot protect the key file " + key_path};
    }
  }
  std::string config(chosen->config);
  config += "\n[key]                      # without this file the stored ids and addresses stay closed: keep a copy elsewhere\nfile = \"" +
            (options.key_file.empty() ? std::string("beckon.key") : options.key_file) + "\"\nversion = 1\n";
  BECKON_TRY_STATUS(files.write_atomic(config_path, config));
  for (const auto& sample : chosen->files) {
    BECKON_TRY_STATUS(files.write_atomic(options.folder + "/" + std::string(sample.path), sample.text));
  }
  return base::Json{{"shop", options.folder}, {"template", chosen->name}, {"config", config_path}, {"key", key_path}, {"new_key", own_key},
                    {"exit", 0}};
}

}  // namespace beckon::engine
