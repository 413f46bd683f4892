#pragma once
// The composition root: opens a shop, wires the rooms, runs the steps in order. Steps take the Context and answer with numbers; they
// print nothing but progress. One process holds a shop at a time (lock + Unix socket, see holder.h).
//
//   engine.h   Context, open_shop, and the steps: ingest, train, plan, send, report …
//   config.h   beckon.toml as a whole
//   holder.h   who holds the shop, and how others reach him

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "beckon/base/base.h"
#include "beckon/base/json.h"
#include "beckon/decide/plan_file.h"
#include "beckon/engine/config.h"
#include "beckon/privacy/privacy.h"
#include "beckon/store/records.h"
#include "beckon/store/shelf.h"

namespace beckon::engine {

class Holder;

struct OpenOptions {
  std::string folder = ".";
  std::optional<base::Instant> as_of;  ///< sets the clock; train and plan then see no later event
  bool simulated_clock = false;        ///< as_of is the shop's own present, not a look back: nothing is marked as a replay
  std::string command;                 ///< what holds the shop, for others to read
  bool quiet = false;
  std::string key_file;                ///< overrides the one named in beckon.toml
};

/// Everything a step needs. Built by open_shop; not copyable.
struct Context {
  std::string folder;
  Config config;
  std::unique_ptr<base::FileSystem> files;
  std::unique_ptr<base::Clock> clock;        ///< SystemClock, or a ManualClock under --as-of
  base::ManualClock* manual = nullptr;       ///< the same, when it can be moved
  bool simulated = false;                    ///< the moved clock is the shop's own time
  std::unique_ptr<base::Executor> executor;
  std::optional<privacy::KeyRing> ring;
  std::unique_ptr<store::KeyValue> rows;
  std::unique_ptr<store::DataKeys> keys;
  base::Metrics metrics;
  std::string tenant;                        ///< salt of delivery ids: a keyed hash, the same as long as the key is
  bool quiet = false;
  std::atomic<bool> stop{false};             ///< set by a signal: steps end after the batch in hand
  std::unique_ptr<Holder> holder;            ///< last: it stops answering before anything it reads goes away

  bool replay() const { return manual != nullptr && !simulated; }
  std::string path(const std::string& name) const { return folder + "/" + name; }
  base::ProgressMode progress() const { return quiet ? base::ProgressMode::kQuiet : base::ProgressMode::kAuto; }
};

/// failed_precondition when the folder is no shop; unavailable with pid and command when somebody else holds it.
base::Result<std::unique_ptr<Context>> open_shop(const OpenOptions& options);

// ---- init ------------------------------------------------------------------------------------------------------------------
struct InitOptions {
  std::string folder;
  std::string template_name = "csv";
  std::string key_file;       ///< an existing file with 64 hex digits, or where to write the new key; empty: FOLDER/beckon.key
};
/// Writes beckon.toml, a sample campaign, the key and the folders. Refuses a folder that already holds a shop.
base::Result<base::Json> init_shop(base::FileSystem& files, const InitOptions& options);
std::vector<std::string> template_names();

// ---- catalog, ingest ---------------------------------------------------------------------------------------------------------
base::Result<base::Json> import_catalog(Context& context, const std::string& file);
/// Writes items and promotions as feeds into the folder; answers the paths.
base::Result<base::Json> export_catalog(Context& context, const std::string& folder);

/// Files or "-" for stdin. Durable per batch; answers the counts of the contract plus "exit" 5 when rows were rejected.
base::Result<base::Json> ingest(Context& context, const std::vector<std::string>& files);

// ---- train, plan, send, report -----------------------------------------------------------------------------------------------
struct TrainRequest {
  bool resume = false;
  bool pretrain = false;                      ///< from the beginning, also where there is something to go on from
  std::string from = {};                      ///< checkpoint to go on from; empty: the shop's own, when it fits
  std::vector<std::string> with_shops = {};   ///< folders of shops whose customers are learned from as well, with pretrain
  bool heads_only = false;                    ///< fine-tuning changes the purchase and click heads alone
  std::string tensorboard = {};  ///< folder for event files; empty: none
  std::string onnx = {};         ///< file for the network as ONNX; empty: none
};
base::Result<base::Json> train(Context& context, const TrainRequest& request);

struct PlanRequest {
  std::string campaign_file;
  bool dry_run = false;
  std::string strategy;  ///< overrides the campaign's
};
struct PlanAnswer {
  std::string path;      ///< of the plan file; empty on a dry run
  decide::PlanFile file;
  base::Json sizes;      ///< what its groups can show, and sizes that would show what it expects
};
base::Result<PlanAnswer> plan(Context& context, const PlanRequest& request);

struct PreviewRequest {
  std::string plan_file;
  std::string customer;       ///< the shop's own id, or a pseudonym
  std::int64_t sample = 0;
  bool extremes = false;
};
base::Result<base::Json> preview(Context& context, const PreviewRequest& request);

struct SendRequest {
  std::string plan_file;
  std::string test_to;        ///< renders to this file, claims nothing
  bool wait = false;          ///< stay until the last message was due
};
base::Result<base::Json> send(Context& context, const SendRequest& request);
/// "pause", "resume" or "cancel".
base::Result<base::Json> control_send(Context& context, const std::string& campaign, const std::string& action);
base::Result<base::Json> deliveries(Context& context, const std::string& state, const std::string& campaign);

struct ReportRequest {
  std::string campaign;       ///< empty: all that were planned
  std::string html_path;      ///< empty: reports/<campaign>.html
};
base::Result<base::Json> report(Context& context, const ReportRequest& request);

struct FinanceRequest {
  std::string month;          ///< "2026-03" of the shop's calendar
  bool close = false;         ///< seal it, and open ones before it; from two days after its end
  std::string csv_path;       ///< empty: no CSV
  std::string html_path;      ///< empty: reports/finance-<month>.html
};
/// The books of a month (docs/formats/finance.md). A closed one is answered as it was sealed, byte for byte.
base::Result<base::Json> finance(Context& context, const FinanceRequest& request);

// ---- people ------------------------------------------------------------------------------------------------------------------
base::Result<base::Json> explain(Context& context, const std::string& customer, const std::string& campaign);
base::Result<base::Json> erase(Context& context, const std::string& customer);
base::Result<base::Json> export_customer(Context& context, const std::string& customer);
/// Rows of "events", "decisions", "deliveries" or "outcomes" since a time, each as JSON, to `visit`.
base::Status export_table(Context& context, const std::string& table, base::Instant since,
                          const std::function<void(const base::Json&)>& visit);
base::Result<base::Json> doctor(Context& context);

/// What another process may ask of the one that holds the shop: doctor, report, explain, deliveries, send-control. Thread-safe beside
/// the main work. Answers {"error", "exit"} instead of failing.
base::Json answer_request(Context& context, const base::Json& request);

/// The shop's own id or a pseudonym → the person, links followed.
base::Result<privacy::Pseudonym> find_customer(const Context& context, const std::string& id);

}  // namespace beckon::engine
