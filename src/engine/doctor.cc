#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdlib>

#include "beckon/engine/engine.h"
#include "scoring.h"

namespace beckon::engine {
namespace {

struct Counts {
  std::int64_t events = 0;
  std::int64_t customers = 0;
  std::int64_t items = 0;
  std::int64_t campaigns = 0;
  std::int64_t deliveries = 0;
};

class Problems {
 public:
  void add(const char* level, const std::string& what, const std::string& mend) {
    list_.push_back({{"level", level}, {"problem", what}, {"mend", mend}});
  }
  base::Json take() { return std::move(list_); }

 private:
  base::Json list_ = base::Json::array();
};

void check_machine(const Context& context, Problems& problems) {
  struct stat key {};
  const std::string named = context.config.key_file;
  const std::string key_path = named.starts_with("/") ? named : context.path(named);
  if (::stat(key_path.c_str(), &key) == 0 && (key.st_mode & 0077U) != 0) {
    problems.add("warning", "others on this machine can read the key file " + key_path, "chmod 400 " + key_path);
  }
  struct statvfs disk {};
  if (::statvfs(context.folder.c_str(), &disk) == 0) {
    const auto free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (free_bytes < (std::uint64_t{1} << 30)) {
      problems.add("warning", "less than 1 GiB is free on the shop's disk", "free some space before the next ingest");
    }
  }
  if (!context.files->exists("/usr/share/zoneinfo/zone.tab")) {
    problems.add("warning", "the zone table of tzdata is missing: a customer's country says nothing about his hours", "apt-get install tzdata");
  }
}

void check_channels(const Context& context, Problems& problems) {
  if (context.config.shop.channels.empty()) {
    problems.add("error", "no channel is configured: nothing can be sent", "write [channel.email] in beckon.toml");
  }
  for (const auto& [id, channel] : context.config.shop.channels) {
    const bool missing_env = !channel.secret_env.empty() && std::getenv(channel.secret_env.c_str()) == nullptr;
    const bool missing_file = !channel.secret_file.empty() && !context.files->exists(channel.secret_file);
    if (channel.transport == "webhook" && (missing_env || missing_file)) {
      problems.add("error", "channel " + id + ": its secret is not there", "set " + channel.secret_env + channel.secret_file);
    }
  }
}

void check_data(const Counts& counts, bool has_consent, bool has_model, Problems& problems) {
  if (counts.items == 0) {
    problems.add("error", "no item is known: nothing can be promoted", "beckon catalog import FILE");
  }
  if (counts.events == 0) {
    problems.add("error", "no event is known", "beckon ingest FILE");
  }
  if (counts.events > 0 && !has_consent) {
    problems.add("error", "no customer has given consent: nothing will be sent",
                 "take in consent events, or state [[consent_import]] in beckon.toml before ingest");
  }
  if (counts.events > 0 && !has_model) {
    problems.add("warning", "no model was trained: plans use own history and popularity", "beckon train");
  }
}

}  // namespace

base::Result<base::Json> doctor(Context& context) {
  Counts counts;
  Problems problems;
  bool has_consent = false;
  // Keys alone are looked at: counting must stay cheap on a large shop.
  for (int partition = 0; partition < 256; ++partition) {
    const auto count = [&](char table, std::int64_t& into) {
      return context.rows->scan(std::string{static_cast<char>(partition), table}, [&](std::string_view, std::string_view) {
        ++into;
        return true;
      });
    };
    BECKON_TRY_STATUS(count('t', counts.events));
    BECKON_TRY_STATUS(count('l', counts.deliveries));
    std::int64_t consents = 0;
    BECKON_TRY_STATUS(count('c', consents));
    has_consent = has_consent || consents > 0;
  }
  BECKON_TRY_STATUS(store::People(*context.rows).for_each([&](const privacy::Pseudonym&) {
    ++counts.customers;
    return true;
  }));
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  counts.items = static_cast<std::int64_t>(items.size());
  BECKON_TRY(const auto plans, store::Records(*context.rows).notes("plan|"));
  counts.campaigns = static_cast<std::int64_t>(plans.size());
  const auto trained = load_model(context);
  if (!trained.ok()) {
    problems.add("error", trained.error().message, "beckon train");
  }
  check_machine(context, problems);
  check_channels(context, problems);
  check_data(counts, has_consent, trained.ok() && trained->has_value(), problems);
  base::Json list = problems.take();
  bool bad = false;
  for (const auto& problem : list) {
    bad = bad || problem["level"] == "error";
  }
  return base::Json{{"events", counts.events},       {"customers", counts.customers},   {"items", counts.items},
                    {"campaigns", counts.campaigns}, {"deliveries", counts.deliveries}, {"degraded", context.metrics.snapshot()},
                    {"problems", list},              {"exit", bad ? 4 : 0}};
}

}  // namespace beckon::engine
