#include <unistd.h>

#include <algorithm>
#include <thread>

#include "beckon/compose/compose.h"
#include "beckon/deliver/deliver.h"
#include "campaigns.h"
#include "messages.h"

namespace beckon::engine {
namespace {

std::string state_note(const std::string& campaign) { return "send|" + campaign; }

base::Result<std::string> send_state(const Context& context, const std::string& campaign) {
  BECKON_TRY(const auto note, store::Records(*context.rows).note(state_note(campaign)));
  return note.value_or("running");
}

// Transports by channel, opened when the first message needs them.
class Transports {
 public:
  explicit Transports(Context& context) : context_(context) {}
  base::Status open(const catalog::Campaign& campaign) {
    for (const auto& id : campaign.channels) {
      BECKON_TRY(by_channel_[id], open_transport(context_, context_.config.shop.channels.at(id)));
    }
    return base::ok_status();
  }
  deliver::Transport* get(const std::string& channel) {
    const auto found = by_channel_.find(channel);
    return found == by_channel_.end() ? nullptr : found->second.get();
  }

 private:
  Context& context_;
  std::map<std::string, std::unique_ptr<deliver::Transport>> by_channel_;
};

deliver::SenderParts parts_of(Context& context, const catalog::Campaign& campaign, const catalog::Template& bank) {
  deliver::SenderParts parts;
  parts.rows = context.rows.get();
  parts.keys = context.keys.get();
  parts.shop = &context.config.shop;
  parts.campaign = &campaign;
  parts.tenant = context.tenant;
  parts.replay = context.replay();
  parts.render = [&context, &campaign, &bank](const auto& permit, const events::Delivery& delivery, const catalog::Item& item,
                                              const std::pair<const store::Profile*, std::string>& profile_and_to) {
    return render_payload({&context, &campaign, &bank}, permit, {&delivery, &item}, profile_and_to);
  };
  return parts;
}

base::Json counts_json(const deliver::IntentCounts& intents, const deliver::SendCounts& counts) {
  std::int64_t dropped = 0;
  for (const auto& [reason, count] : counts.not_sent) {
    dropped += count;
  }
  return {{"planned", intents.added + intents.replaced + intents.kept},
          {"new", intents.added},
          {"already_known", intents.kept},
          {"accepted", counts.accepted},
          {"retried", counts.retried},
          {"waiting", counts.waiting},
          {"not_sent", dropped},
          {"not_sent_by_reason", counts.not_sent}};
}

// Sleeps until `when` (or moves the clock of a replay there); false when the time was cut short by a signal.
bool wait_until(Context& context, base::Instant when) {
  if (context.manual != nullptr) {
    context.manual->set(std::max(context.manual->now(), when));
    return true;
  }
  while (context.clock->now() < when && !context.stop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return !context.stop;
}

base::Result<base::Json> test_render(Context& context, const decide::PlanFile& file, const catalog::Campaign& campaign,
                                     const std::string& path) {
  BECKON_TRY(const auto messages, render_all(context, file, campaign));
  std::string text;
  for (const auto& message : messages) {
    text += base::to_line(message) + "\n";
  }
  BECKON_TRY_STATUS(context.files->write_atomic(path, text));
  return base::Json{{"test", true}, {"file", path}, {"messages", static_cast<std::int64_t>(messages.size())}, {"exit", 0}};
}

void add_up(deliver::SendCounts& total, const deliver::SendCounts& round) {
  total.accepted += round.accepted;
  total.retried += round.retried;
  total.waiting = round.waiting;
  for (const auto& [reason, count] : round.not_sent) {
    total.not_sent[reason] += count;
  }
}

}  // namespace

base::Result<base::Json> send(Context& context, const SendRequest& request) {
  BECKON_TRY(const decide::PlanFile file, load_plan(context, request.plan_file));
  BECKON_TRY(const catalog::Campaign campaign, catalog::load_campaign(file.campaign_text, "the plan's campaign", context.config.shop));
  BECKON_TRY(const catalog::Template bank, read_template(context, campaign.template_id));
  if (!request.test_to.empty()) {
    return test_render(context, file, campaign, request.test_to);
  }
  for (const auto& id : campaign.channels) {
    if (context.replay() && context.config.shop.channels.at(id).transport != "file") {
      return base::failed_precondition("channel " + id + ": under --as-of messages go to files only, nobody may really receive a replay");
    }
  }
  if (file.replay != context.replay()) {
    return base::failed_precondition(file.replay ? "this plan was made under --as-of: send it with the same --as-of"
                                                 : "this plan was made for today: send it without --as-of");
  }
  BECKON_TRY(const std::string state, send_state(context, file.campaign));
  if (state == "cancelled") {
    return base::failed_precondition("campaign " + file.campaign + " was cancelled: beckon send --resume " + file.campaign + " takes it up again");
  }
  Transports transports(context);
  BECKON_TRY_STATUS(transports.open(campaign));
  deliver::SenderParts parts = parts_of(context, campaign, bank);
  parts.transport = [&](const std::string& channel) { return transports.get(channel); };
  deliver::Sender sender(std::move(parts));
  BECKON_TRY(const auto intents, sender.add_intents(file.plan.decisions, context.clock->now()));
  base::Progress progress({"send " + file.campaign, "messages", intents.added + intents.replaced + intents.kept, context.progress()}, *context.clock);
  deliver::SendCounts total;
  bool paused = false;
  for (;;) {
    BECKON_TRY(const auto round, sender.send_due(context.clock->now(), [&](const deliver::SendCounts& counts) {
      progress.update(total.accepted + counts.accepted);
      paused = send_state(context, file.campaign).value_or("running") != "running";
      return !paused && !context.stop;
    }));
    add_up(total, round);
    BECKON_TRY(const auto next, sender.next_due(context.clock->now()));
    // A replay plays the whole window; a real send stays only when it was asked to.
    const bool go_on = next.has_value() && (request.wait || context.replay()) && !paused && !context.stop;
    if (!go_on || !wait_until(context, *next)) {
      break;
    }
  }
  progress.finish();
  base::Json answer = counts_json(intents, total);
  BECKON_TRY(const auto next, sender.next_due(context.clock->now()));
  answer["next_due"] = next.has_value() ? base::Json(base::format_time(*next)) : base::Json();
  answer["state"] = paused ? "paused" : "running";
  answer["replay"] = context.replay();
  answer["exit"] = context.stop ? 4 : 0;
  return answer;
}

base::Result<base::Json> control_send(Context& context, const std::string& campaign, const std::string& action) {
  const std::string state = action == "pause" ? "paused" : action == "cancel" ? "cancelled" : "running";
  store::WriteBatch changes;
  store::Records::put_note(state_note(campaign), state, changes);
  std::int64_t cancelled = 0;
  if (action == "cancel") {
    BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& delivery) {
      if (delivery.campaign == campaign && (delivery.state == events::DeliveryState::kPlanned || delivery.state == events::DeliveryState::kHeld)) {
        events::Delivery changed = delivery;
        changed.state = events::DeliveryState::kCancelled;
        changed.reason = "cancelled";
        store::Records::put(changed, changes);
        ++cancelled;
      }
      return true;
    }));
  }
  BECKON_TRY_STATUS(context.rows->write(changes));
  return base::Json{{"campaign", campaign}, {"state", state}, {"cancelled", cancelled}, {"exit", 0}};
}

base::Result<base::Json> deliveries(Context& context, const std::string& state, const std::string& campaign) {
  base::Json rows = base::Json::array();
  std::map<std::string, std::int64_t> by_state;
  BECKON_TRY_STATUS(store::Records(*context.rows).for_each_delivery([&](const events::Delivery& delivery) {
    if (!campaign.empty() && delivery.campaign != campaign) {
      return true;
    }
    ++by_state[std::string(events::to_text(delivery.state))];
    if (state.empty() || events::to_text(delivery.state) == state) {
      base::Json row = events::to_json(delivery);
      row.erase("payload");  // names the recipient
      rows.push_back(std::move(row));
    }
    return true;
  }));
  return base::Json{{"by_state", by_state}, {"deliveries", std::move(rows)}, {"exit", 0}};
}

}  // namespace beckon::engine
