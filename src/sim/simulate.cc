#include <set>
#include <utility>

#include "beckon/decide/plan_file.h"
#include "beckon/sim/sim.h"
#include "parts.h"

namespace beckon::sim {
namespace {

// A note of what is done, so that a simulation that was stopped goes on where it was, with the plan it had made.
class Notebook {
 public:
  explicit Notebook(engine::Context& context) : context_(context), path_(context.path("simulation-progress.json")) {}
  base::Status load() {
    if (context_.files->exists(path_)) {
      BECKON_TRY(const std::string text, context_.files->read(path_));
      BECKON_TRY(notes_, base::parse_json(text));
    }
    return base::ok_status();
  }
  bool has(const char* name) const { return notes_.contains(name); }
  const base::Json& at(const char* name) const { return notes_.at(name); }
  base::Status put(const char* name, base::Json value) {
    notes_[name] = std::move(value);
    return context_.files->write_atomic(path_, base::to_line(notes_) + "\n");
  }

 private:
  engine::Context& context_;
  std::string path_;
  base::Json notes_ = base::Json::object();
};

base::Status take_in(engine::Context& context, const Simulation& simulation, base::Json& out) {
  BECKON_TRY(out["catalog"], engine::import_catalog(context, context.path("files/products.csv")));
  std::vector<std::string> files;
  while (context.files->exists(history_file(simulation, static_cast<std::int64_t>(files.size())))) {
    files.push_back(history_file(simulation, static_cast<std::int64_t>(files.size())));
  }
  BECKON_TRY(out["ingest"], engine::ingest(context, files));
  return base::ok_status();
}

base::Status learn(engine::Context& context, Notebook& notebook) {
  if (notebook.has("train")) {
    return base::ok_status();
  }
  auto trained = engine::train(context, {});
  if (!trained.ok() && trained.error().code != base::ErrorCode::kFailedPrecondition) {
    return trained.error();
  }
  if (!trained.ok()) {
    return notebook.put("train", {{"skipped", trained.error().message}});  // a small shop still gets a plan
  }
  return notebook.put("train", {{"model", base::string_or(*trained, "model")}, {"seconds", base::real_or((*trained)["training"], "seconds")},
                                {"verdict", base::string_or((*trained)["test"]["comparison"], "verdict")}});
}

base::Status decide_once(engine::Context& context, const Simulation& simulation, Notebook& notebook) {
  if (simulation.options.compare_strategies && !notebook.has("strategies")) {
    BECKON_TRY(base::Json strategies, compare_strategies(context, simulation));
    BECKON_TRY_STATUS(notebook.put("strategies", std::move(strategies)));
  }
  if (notebook.has("plan")) {
    return base::ok_status();
  }
  BECKON_TRY(const engine::PlanAnswer planned, engine::plan(context, {simulation.campaign_file, false, ""}));
  base::Json note = decide::summary(planned.file);
  note["file"] = planned.path;
  return notebook.put("plan", std::move(note));
}

// The customers' answers, taken in as any shop would take them in.
base::Status answer(engine::Context& context, const Simulation& simulation, const std::vector<market::Treatment>& messages, base::Json& out) {
  const base::Instant until = simulation.starts.plus_ms(kOutcomeDays * base::kDayMs);
  std::string lines;
  for (const auto& event : simulation.market->respond(messages, simulation.starts, until)) {
    lines += simulation.market->to_segment_json(event) + "\n";
  }
  const std::string path = context.path("files/after.jsonl");
  BECKON_TRY_STATUS(context.files->write_atomic(path, lines));
  context.manual->set(until);
  BECKON_TRY(out["answers"], engine::ingest(context, {path}));
  return base::ok_status();
}

// The promises of a campaign, looked at from outside: what left, and what was paid.
base::Json checks(const base::Json& campaign, const std::vector<market::Treatment>& messages) {
  std::set<std::string> ids;
  std::set<std::int64_t> customers;
  for (const auto& message : messages) {
    ids.insert(message.delivery);
    customers.insert(message.customer);
  }
  std::int64_t over_minor = 0;
  for (const auto& budget : campaign["budgets"]) {
    const std::int64_t used = base::int_or(budget, "escrowed_minor") + base::int_or(budget, "settled_minor");
    over_minor = std::max(over_minor, used - base::int_or(budget, "limit_minor"));
  }
  const auto left = static_cast<std::int64_t>(messages.size());
  return {{"messages_left", left}, {"left_twice", left - static_cast<std::int64_t>(ids.size())},
          {"customers_written_to_twice", left - static_cast<std::int64_t>(customers.size())}, {"over_budget_minor", over_minor}};
}

}  // namespace

Directory directory_of(const engine::Context& context, const market::Market& world) {
  Directory out;
  for (std::size_t i = 0; i < world.people().size(); ++i) {
    const market::Person& person = world.people()[i];
    const auto number = static_cast<std::int64_t>(i);
    out.by_pseudonym[context.ring->pseudonym(person.id).text()] = number;
    out.by_address[person.id] = number;
    out.by_address[person.email] = number;
  }
  return out;
}

base::Result<std::vector<market::Treatment>> read_outbox(engine::Context& context, const Simulation& simulation, const Directory& directory) {
  BECKON_TRY(const base::Json ledger, engine::deliveries(context, "accepted", kCampaign));
  std::map<std::string, base::Instant> left_at;
  for (const auto& row : ledger["deliveries"]) {
    BECKON_TRY(left_at[base::string_or(row, "id")], base::parse_time(base::string_or(row, "accepted_at"), base::Zone::utc()));
  }
  BECKON_TRY(const std::string text, context.files->read(simulation.campaign_file));
  BECKON_TRY(const auto campaign, catalog::load_campaign(text, simulation.campaign_file, context.config.shop));
  std::map<std::string, std::int64_t> items;
  for (const auto& item : simulation.market->items()) {
    items.emplace(item.id, static_cast<std::int64_t>(items.size()));
  }
  std::vector<market::Treatment> out;
  const std::string folder = context.path(context.config.shop.folder_outbox);
  BECKON_TRY(const auto names, context.files->list(folder));
  for (const auto& name : names) {
    BECKON_TRY(const std::string lines, context.files->read(folder + "/" + name));
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      BECKON_TRY(const auto line, base::parse_json(std::string_view(lines).substr(at, end - at)));
      at = end + 1;
      market::Treatment message;
      message.delivery = base::string_or(line, "id");
      const auto left = left_at.find(message.delivery);
      const auto who = directory.by_address.find(base::string_or(line, "to"));
      const auto item = items.find(base::string_or(line, "item"));
      const catalog::Offer* offer = campaign.offer(base::OfferId(base::string_or(line, "offer")));
      if (left == left_at.end() || who == directory.by_address.end() || item == items.end() || offer == nullptr) {
        return base::internal_error("message " + message.delivery + " left, and the ledger or the world does not know it");
      }
      message.customer = who->second;
      message.item = item->second;
      message.discount_bp = offer->depth_bp;
      message.channel = base::string_or(line, "channel");
      message.at = left->second;
      message.campaign = kCampaign;
      message.coupon = offer->code;
      out.push_back(std::move(message));
    }
  }
  return out;
}

base::Result<base::Json> play(engine::Context& context, const Simulation& simulation, const std::function<void(const std::string&)>& say) {
  BECKON_CHECK(context.manual != nullptr && context.simulated);
  base::Json out = {{"simulation", context.folder}, {"seed", simulation.options.seed}, {"customers", simulation.options.customers},
                    {"days", simulation.options.days}, {"strategy", simulation.options.strategy}, {"effect", simulation.options.effect}};
  Notebook notebook(context);
  BECKON_TRY_STATUS(notebook.load());
  context.manual->set(simulation.starts);
  say("catalogue and history");
  BECKON_TRY_STATUS(take_in(context, simulation, out));
  say("train");
  BECKON_TRY_STATUS(learn(context, notebook));
  say("plan");
  BECKON_TRY_STATUS(decide_once(context, simulation, notebook));
  say("send");
  engine::SendRequest request;
  request.plan_file = base::string_or(notebook.at("plan"), "file");
  request.wait = true;
  const bool quiet = std::exchange(context.quiet, true);  // a rate in simulated seconds says nothing
  auto sending = engine::send(context, request);
  context.quiet = quiet;
  BECKON_TRY(base::Json sent, std::move(sending));
  sent.erase("exit");
  say("the customers answer");
  BECKON_TRY(const auto messages, read_outbox(context, simulation, directory_of(context, *simulation.market)));
  BECKON_TRY_STATUS(answer(context, simulation, messages, out));
  say("report");
  BECKON_TRY(base::Json report, engine::report(context, {kCampaign, ""}));
  out["train"] = notebook.at("train");
  out["send"] = std::move(sent);
  out["report"] = report["campaigns"].at(0);
  BECKON_TRY(out["truth"], truth_of(context, simulation, messages, out["report"]));
  if (notebook.has("strategies")) {
    out["strategies"] = notebook.at("strategies");
  }
  out["checks"] = checks(out["report"], messages);
  const report::Page page = simulation_page(out);
  out["html"] = context.path("reports/simulation.html");
  BECKON_TRY_STATUS(context.files->write_atomic(context.path("reports/simulation.html"), report::to_html(page)));
  out["text"] = base::string_or(report, "text") + report::to_terminal(page, {120, false}) + "\nPage: " + base::string_or(out, "html") + "\n";
  out["exit"] = 0;
  return out;
}

}  // namespace beckon::sim
