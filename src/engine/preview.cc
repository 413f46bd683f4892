// The exact messages of a plan before anybody gets them.
#include <algorithm>
#include <map>

#include "beckon/engine/engine.h"
#include "campaigns.h"
#include "messages.h"

namespace beckon::engine {
namespace {

using Messages = std::vector<const base::Json*>;

// "email · en" → its messages, in the plan's order.
std::map<std::string, Messages> by_channel_and_language(const std::vector<base::Json>& messages) {
  std::map<std::string, Messages> groups;
  for (const auto& message : messages) {
    const std::string name = message.contains("body") ? base::string_or(message, "channel") + " · " + base::string_or(message, "language")
                                                      : "not sent: " + base::string_or(message, "not_sent");
    groups[name].push_back(&message);
  }
  return groups;
}

base::Json entry_of(const base::Json& message, const std::string& why) {
  base::Json entry = message;
  if (!why.empty()) {
    entry["why"] = why;
  }
  return entry;
}

bool lacks_translation(const base::Json& message) { return message.contains("notes") && message["notes"].dump().find("no_t") != std::string::npos; }

// Where a message goes wrong first: the longest name breaks a layout, the deepest discount and the lowest margin cost most.
void add_extremes(const Messages& messages, base::Json& shown) {
  const auto most = [&](const char* why, const std::function<double(const base::Json&)>& score) {
    const auto best = std::max_element(messages.begin(), messages.end(), [&](const auto* a, const auto* b) { return score(*a) < score(*b); });
    shown.push_back(entry_of(**best, why));
  };
  most("longest name", [](const base::Json& m) { return static_cast<double>(base::string_or(m, "name").size()); });
  most("deepest discount", [](const base::Json& m) { return base::real_or(m, "discount_minor"); });
  most("lowest margin", [](const base::Json& m) { return -base::real_or(m, "margin_minor"); });
  const auto missing = std::find_if(messages.begin(), messages.end(), [](const auto* m) { return lacks_translation(*m); });
  if (missing != messages.end()) {
    shown.push_back(entry_of(**missing, "missing translation"));
  }
}

std::string card(const base::Json& message) {
  if (!message.contains("body")) {
    return "  " + base::string_or(message, "customer") + "\n\n";
  }
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      text += "  " + std::string(name) + std::string(9 - std::string_view(name).size(), ' ') + value + "\n";
    }
  };
  const std::string why = base::string_or(message, "why");
  text += why.empty() ? "" : "  [" + why + "]\n";
  line("to", base::string_or(message, "to"));
  line("subject", base::string_or(message, "subject"));
  line("text", base::string_or(message, "body"));
  line("link", base::string_or(message, "link"));
  const std::string code = base::string_or(message, "code");
  line("offer", base::string_or(message, "offer") + (code.empty() ? "" : " (code " + code + ")") + ", item " + base::string_or(message, "item") +
                    ", price " + base::string_or(message, "price") + " " + base::string_or(message, "currency") + ", until " +
                    base::string_or(message, "valid_until"));
  line("notes", message.contains("notes") ? message["notes"].dump() : "");
  return text + "\n";
}

}  // namespace

base::Result<base::Json> preview(Context& context, const PreviewRequest& request) {
  BECKON_TRY(const decide::PlanFile file, load_plan(context, request.plan_file));
  BECKON_TRY(const catalog::Campaign campaign, catalog::load_campaign(file.campaign_text, "the plan's campaign", context.config.shop));
  BECKON_TRY(auto messages, render_all(context, file, campaign));
  if (!request.customer.empty()) {
    BECKON_TRY(const auto person, find_customer(context, request.customer));
    std::erase_if(messages, [&](const auto& m) { return base::string_or(m, "to", base::string_or(m, "customer")) != person.text(); });
  }
  const auto groups = by_channel_and_language(messages);
  const std::size_t wanted = request.sample > 0 ? static_cast<std::size_t>(request.sample) : 5;
  base::Json shown = base::Json::array();
  base::Json counts = base::Json::object();
  std::string text;
  for (const auto& [name, group] : groups) {
    counts[name] = group.size();
    text += name + ", " + std::to_string(group.size()) + (group.size() == 1 ? " message\n\n" : " messages\n\n");
    const std::size_t from = shown.size();
    if (request.extremes && group.front()->contains("body")) {
      add_extremes(group, shown);
    } else {
      // Every channel and language is seen, however rare, the sample spread evenly over its messages.
      const std::size_t share = request.customer.empty() ? std::max<std::size_t>(1, wanted * group.size() / messages.size()) : group.size();
      for (std::size_t i = 0; i < std::min(share, group.size()); ++i) {
        shown.push_back(entry_of(*group[i * group.size() / std::min(share, group.size())], ""));
      }
    }
    for (std::size_t i = from; i < shown.size(); ++i) {
      text += card(shown[i]);
    }
  }
  if (text.empty()) {
    text = request.customer.empty() ? "The plan sends nothing: beckon explain CUSTOMER says why.\n"
                                    : "The plan sends nothing to this customer: beckon explain " + request.customer + " says why.\n";
  }
  return base::Json{{"messages", static_cast<std::int64_t>(messages.size())}, {"by_channel_and_language", counts}, {"shown", shown}, {"text", text}, {"exit", 0}};
}

}  // namespace beckon::engine
