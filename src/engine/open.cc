#include <thread>

#include "beckon/engine/engine.h"
#include "beckon/engine/holder.h"

namespace beckon::engine {
namespace {

base::Result<privacy::KeyRing> load_key(const base::FileSystem& files, const std::string& path, std::int64_t version) {
  const auto text = files.read(path);
  if (!text.ok()) {
    return text.error().at("the shop's key cannot be read; without it the stored ids and addresses stay closed");
  }
  const auto bytes = base::from_hex(base::trimmed(*text));
  if (!bytes.ok()) {
    return bytes.error().at(path);
  }
  auto ring = privacy::KeyRing::make(*bytes, static_cast<std::uint8_t>(version));
  return ring.ok() ? ring : base::Result<privacy::KeyRing>(ring.error().at(path));
}

// A shop opened with another key would write second pseudonyms of the same people beside the first.
base::Status check_key(Context& context) {
  const std::string print = context.ring->keyed_hash("beckon key check");
  const store::Records records(*context.rows);
  BECKON_TRY(const auto stored, records.note("key_check"));
  if (stored.has_value() && *stored != print) {
    return base::Error{base::ErrorCode::kPermissionDenied,
                       "the key does not belong to this shop: give the file that beckon init wrote, with --key-file"};
  }
  if (!stored.has_value()) {
    store::WriteBatch changes;
    store::Records::put_note("key_check", print, changes);
    return context.rows->write(changes);
  }
  return base::ok_status();
}

}  // namespace

base::Result<std::unique_ptr<Context>> open_shop(const OpenOptions& options) {
  auto context = std::make_unique<Context>();
  context->folder = options.folder;
  context->quiet = options.quiet;
  context->files = std::make_unique<base::PosixFileSystem>();
  const std::string config_path = context->path("beckon.toml");
  const auto text = context->files->read(config_path);
  if (!text.ok()) {
    return base::failed_precondition(options.folder + " is no shop (no beckon.toml): make one with beckon init " + options.folder);
  }
  BECKON_TRY(context->config, load_config(*text, config_path));
  if (options.as_of.has_value()) {
    auto manual = std::make_unique<base::ManualClock>(*options.as_of);
    context->manual = manual.get();
    context->simulated = options.simulated_clock;
    context->clock = std::move(manual);
  } else {
    context->clock = std::make_unique<base::SystemClock>();
  }
  const std::string named = options.key_file.empty() ? context->config.key_file : options.key_file;
  const std::string key_path = named.starts_with("/") || !options.key_file.empty() ? named : context->path(named);
  BECKON_TRY(auto ring, load_key(*context->files, key_path, context->config.key_version));
  context->ring.emplace(std::move(ring));
  context->tenant = context->ring->keyed_hash("tenant");
  BECKON_TRY_STATUS(context->files->make_dirs(context->path("data")));
  BECKON_TRY(context->holder, Holder::take(options.folder, options.command));
  BECKON_TRY(context->rows, store::open_rocksdb(context->path("data/rows")));
  BECKON_TRY(context->keys, store::open_data_keys(context->path("data/keys.sqlite"), *context->ring));
  BECKON_TRY_STATUS(check_key(*context));
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  context->executor = std::make_unique<base::ThreadExecutor>(cores);
  return context;
}

}  // namespace beckon::engine
