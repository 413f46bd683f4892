#include <algorithm>

#include "beckon/engine/engine.h"
#include "campaigns.h"
#include "finance.h"
#include "messages.h"
#include "outcomes.h"

namespace beckon::engine {
namespace {

base::Json consent_json(const privacy::Consent& consent) {
  base::Json out = base::Json::array();
  for (const auto& record : consent.records) {
    out.push_back({{"purpose", std::string(privacy::to_text(record.purpose))}, {"channel", record.channel},
                   {"granted", record.granted}, {"at", base::format_time(record.at)}, {"basis", record.basis},
                   {"source", record.source}});
  }
  return out;
}

base::Json event_json(const events::Event& event) {
  const base::Currency& currency = event.unit_price.currency();
  return {{"customer", event.customer.text()}, {"at", base::format_time(event.at)}, {"type", std::string(events::to_text(event.type))},
          {"item", event.item}, {"quantity", event.quantity}, {"unit_price_minor", event.unit_price.minor()},
          {"currency", std::string(currency.code())},
          {"order", event.order}, {"channel", event.channel}, {"market", event.market}, {"campaign", event.campaign},
          {"delivery", event.delivery}, {"coupon", event.coupon},
          {"discount_minor", event.discount_minor.has_value() ? base::Json(*event.discount_minor) : base::Json()}};
}

// Drops the lines for which `drop` answers true; the file is rewritten only when something went.
base::Result<std::int64_t> drop_lines(base::FileSystem& files, const std::string& path, const std::function<bool(std::string_view)>& drop) {
  BECKON_TRY(const std::string text, files.read(path));
  std::string kept;
  std::int64_t dropped = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line(text.data() + at, end - at);
    if (drop(line)) {
      ++dropped;
    } else {
      kept.append(line);
    }
    at = end;
  }
  if (dropped > 0) {
    BECKON_TRY_STATUS(files.write_atomic(path, kept));
  }
  return dropped;
}

base::Result<std::int64_t> erase_from_plan(Context& context, const std::string& path, const std::vector<std::string>& pseudonyms) {
  const auto names_him = [&](std::string_view line) {
    return std::any_of(pseudonyms.begin(), pseudonyms.end(), [&](const auto& id) { return line.find(id) != std::string_view::npos; });
  };
  const bool sealed = path.ends_with(".jsonl");
  BECKON_TRY(std::int64_t dropped, drop_lines(*context.files, path, names_him));
  if (sealed && dropped > 0) {  // the rest of the plan stays valid: it is sealed again
    BECKON_TRY(std::string text, context.files->read(path));
    const std::size_t last = text.rfind('\n', text.size() - 2);
    text.resize(last + 1);
    text += base::to_line({{"seal", context.ring->seal_of(text)}}) + "\n";
    BECKON_TRY_STATUS(context.files->write_atomic(path, text));
  }
  return dropped;
}

base::Result<std::int64_t> erase_files(Context& context, const std::vector<std::string>& pseudonyms, const std::vector<std::string>& delivery_ids) {
  std::int64_t dropped = 0;
  const auto each = [&](const std::string& folder, const std::function<base::Result<std::int64_t>(const std::string&)>& act) -> base::Status {
    if (!context.files->exists(folder)) {
      return base::ok_status();
    }
    BECKON_TRY(const auto names, context.files->list(folder));
    for (const auto& name : names) {
      BECKON_TRY(const std::int64_t went, act(folder + "/" + name));
      dropped += went;
    }
    return base::ok_status();
  };
  BECKON_TRY_STATUS(each(context.path("plans"), [&](const std::string& path) { return erase_from_plan(context, path, pseudonyms); }));
  BECKON_TRY_STATUS(each(context.path(context.config.shop.folder_outbox), [&](const std::string& path) {
    return drop_lines(*context.files, path, [&](std::string_view line) {
      return std::any_of(delivery_ids.begin(), delivery_ids.end(), [&](const auto& id) { return line.find(id) != std::string_view::npos; });
    });
  }));
  return dropped;
}

}  // namespace

base::Result<privacy::Pseudonym> find_customer(const Context& context, const std::string& id) {
  const auto written = privacy::Pseudonym::parse(id);
  const privacy::Pseudonym first = written.ok() ? *written : context.ring->pseudonym(id);
  const store::People people(*context.rows);
  BECKON_TRY(const auto person, people.person_of(first));
  return person.value_or(first);
}

base::Result<base::Json> explain(Context& context, const std::string& customer, const std::string& campaign) {
  BECKON_TRY(const auto person, find_customer(context, customer));
  const store::Records records(*context.rows);
  const store::People people(*context.rows);
  BECKON_TRY(const auto decisions, records.decisions(person));
  BECKON_TRY(const auto consent, people.consent(person));
  BECKON_TRY(const auto window, store::read_person(*context.rows, person, context.clock->now()));
  BECKON_TRY(const auto flag, people.flag(person));
  BECKON_TRY(const auto suppressed, people.suppressed_at(person));
  base::Json chosen = base::Json::array();
  for (const auto& decision : decisions) {
    if (campaign.empty() || decision.campaign == campaign) {
      chosen.push_back(events::to_json(decision));
    }
  }
  base::Json sent = base::Json::array();
  BECKON_TRY(const auto deliveries, records.deliveries(person));
  for (const auto& delivery : deliveries) {
    if (campaign.empty() || delivery.campaign == campaign) {
      base::Json row = events::to_json(delivery);
      row.erase("payload");
      sent.push_back(std::move(row));
    }
  }
  std::map<std::string, std::int64_t> by_type;
  for (const auto& event : window) {
    ++by_type[std::string(events::to_text(event.type))];
  }
  if (window.empty() && decisions.empty() && !suppressed.has_value()) {
    return base::not_found("no customer with this id is known to the shop");
  }
  return base::Json{{"customer", person.text()},
                    {"erased_at", suppressed.has_value() ? base::Json(base::format_time(*suppressed)) : base::Json()},
                    {"flag", flag},
                    {"events", by_type},
                    {"consent", consent_json(consent)},
                    {"decisions", chosen},
                    {"deliveries", sent},
                    {"exit", 0}};
}

base::Result<base::Json> erase(Context& context, const std::string& customer) {
  BECKON_TRY(const auto person, find_customer(context, customer));
  const store::Records records(*context.rows);
  store::People people(*context.rows);
  BECKON_TRY(auto ids, people.ids_of(person));
  ids.push_back(person);
  std::vector<std::string> pseudonyms;
  std::vector<std::string> delivery_ids;
  for (const auto& id : ids) {
    pseudonyms.push_back(id.text());
    BECKON_TRY(const auto deliveries, records.deliveries(id));
    for (const auto& delivery : deliveries) {
      delivery_ids.push_back(delivery.id);
    }
  }
  // Files first: if this stops half-way, the rows are still there to find what is left, and the command can be given again.
  BECKON_TRY(const std::int64_t lines, erase_files(context, pseudonyms, delivery_ids));
  store::WriteBatch books;
  BECKON_TRY_STATUS(keep_books_of(context, person, books));
  BECKON_TRY(const std::int64_t rows, people.erase(person, context.clock->now(), books));
  for (const auto& id : ids) {
    BECKON_TRY_STATUS(context.keys->erase(id));
  }
  BECKON_TRY_STATUS(context.rows->compact());
  return base::Json{{"customer", person.text()}, {"rows_erased", rows}, {"file_lines_erased", lines}, {"suppressed", true}, {"exit", 0}};
}

base::Result<base::Json> export_customer(Context& context, const std::string& customer) {
  BECKON_TRY(const auto person, find_customer(context, customer));
  BECKON_TRY(base::Json out, explain(context, customer, ""));
  const store::People people(*context.rows);
  BECKON_TRY(const auto profile, people.profile(person));
  BECKON_TRY(const auto key, context.keys->find(person));
  base::Json personal = base::Json::object();
  if (profile.has_value()) {
    for (const auto& [name, value] : profile->open) {
      personal[name] = value;
    }
    for (const auto& [name, value] : profile->sealed) {
      const auto plain = key.has_value() ? privacy::decrypt(value, *key, "profile|" + person.bytes() + "|" + name)
                                         : base::Result<std::string>(base::not_found("no key"));
      personal[name] = plain.ok() ? base::Json(*plain) : base::Json();
    }
  }
  out["profile"] = personal;
  BECKON_TRY(const auto window, store::read_person(*context.rows, person, context.clock->now()));
  base::Json events_list = base::Json::array();
  for (const auto& event : window) {
    events_list.push_back(event_json(event));
  }
  out["events"] = std::move(events_list);
  return out;
}

base::Status export_table(Context& context, const std::string& table, base::Instant since,
                          const std::function<void(const base::Json&)>& visit) {
  const store::Records records(*context.rows);
  if (table == "events") {
    return store::for_each_person(*context.rows, context.clock->now(), [&](const auto&, const std::vector<events::Event>& window) {
      for (const auto& event : window) {
        if (event.at >= since) {
          visit(event_json(event));
        }
      }
      return !context.stop;
    });
  }
  if (table == "decisions") {
    return records.for_each_decision([&](const events::Decision& decision) {
      if (decision.at >= since) {
        visit(events::to_json(decision));
      }
      return !context.stop;
    });
  }
  if (table == "deliveries") {
    return records.for_each_delivery([&](const events::Delivery& delivery) {
      if (delivery.planned_at >= since) {
        base::Json row = events::to_json(delivery);
        row.erase("payload");
        visit(row);
      }
      return !context.stop;
    });
  }
  if (table == "outcomes") {
    BECKON_TRY(const auto campaigns, planned_campaigns(context));
    for (const auto& planned : campaigns) {
      BECKON_TRY(const auto outcomes, outcomes_of(context, planned));
      for (const auto& outcome : outcomes) {
        if (outcome.decision.at >= since) {
          visit(outcome_json(outcome));
        }
      }
    }
    return base::ok_status();
  }
  return base::invalid_argument("unknown table '" + table + "': there are events, decisions, deliveries and outcomes");
}

}  // namespace beckon::engine
