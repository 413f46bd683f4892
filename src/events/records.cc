#include "beckon/events/records.h"

#include <array>
#include <limits>
#include <type_traits>

#include "beckon/base/codec.h"

namespace beckon::events {
namespace {

constexpr std::uint8_t kSchemaVersion = 1;
constexpr std::array<std::string_view, kGroupMax + 1> kGroups{"", "holdout", "random", "treated", "global_holdout", "usual"};
constexpr std::array<std::string_view, kDeliveryStateMax + 1> kStates{
    "", "planned", "claimed", "accepted", "unknown", "failed", "dead", "held", "dropped", "cancelled"};

// One list of fields per record: bytes and JSON follow it, in this order. New fields go to the end with a new version.
template <class Visitor, class T>
void visit_decision(Visitor& v, T& d) {
  v("campaign", d.campaign), v("period", d.period), v("plan", d.plan), v("at", d.at), v("group", d.group);
  v("strategy", d.strategy), v("model", d.model), v("grade", d.grade), v("market", d.market), v("currency", d.currency);
  v("slot", d.slot), v("chosen", d.chosen), v("reason", d.reason), v("item", d.item), v("offer", d.offer);
  v("channel", d.channel), v("hour", d.hour), v("price_minor", d.price_minor), v("face_minor", d.face_minor);
  v("send_cost_micro", d.send_cost_micro), v("expected_cost_micro", d.expected_cost_micro);
  v("value_micro", d.value_micro);
  v("click_probability", d.click_probability), v("buy_probability", d.buy_probability), v("extra_share", d.extra_share);
  v("propensity", d.propensity), v("randomised", d.randomised), v("runner_up", d.runner_up);
  v("runner_up_micro", d.runner_up_micro), v("rules", d.rules);
}

template <class Visitor, class T>
void visit_delivery(Visitor& v, T& d) {
  v("id", d.id), v("campaign", d.campaign), v("period", d.period), v("plan", d.plan), v("slot", d.slot);
  v("state", d.state), v("reason", d.reason), v("group", d.group), v("propensity", d.propensity), v("market", d.market);
  v("currency", d.currency), v("channel", d.channel), v("item", d.item), v("offer", d.offer), v("code", d.code);
  v("hour", d.hour), v("price_minor", d.price_minor), v("escrow_minor", d.escrow_minor), v("attempts", d.attempts);
  v("planned_at", d.planned_at), v("due", d.due), v("expires", d.expires), v("claimed_at", d.claimed_at);
  v("accepted_at", d.accepted_at), v("offer_until", d.offer_until), v("settled", d.settled);
  v("settled_minor", d.settled_minor), v("replay", d.replay), v("payload", d.payload);
}

struct ByteWriter {
  base::Writer out;
  void operator()(const char*, const std::string& value) { out.text(value); }
  void operator()(const char*, std::int64_t value) { out.zigzag(value); }
  void operator()(const char*, double value) { out.real(value); }
  void operator()(const char*, bool value) { out.u8(value ? 1 : 0); }
  void operator()(const char*, base::Instant value) { out.zigzag(value.ms); }
  void operator()(const char*, Group value) { out.u8(static_cast<std::uint8_t>(value)); }
  void operator()(const char*, DeliveryState value) { out.u8(static_cast<std::uint8_t>(value)); }
};

struct ByteReader {
  base::Reader in;
  bool bad = false;
  void operator()(const char*, std::string& value) { value = in.text(); }
  void operator()(const char*, std::int64_t& value) { value = in.zigzag(); }
  void operator()(const char*, double& value) { value = in.real(); }
  void operator()(const char*, bool& value) { value = in.u8() != 0; }
  void operator()(const char*, base::Instant& value) { value.ms = in.zigzag(); }
  void operator()(const char*, Group& value) {
    const std::uint8_t byte = in.u8();
    bad = bad || byte == 0 || byte > kGroupMax;
    value = static_cast<Group>(byte);
  }
  void operator()(const char*, DeliveryState& value) {
    const std::uint8_t byte = in.u8();
    bad = bad || byte == 0 || byte > kDeliveryStateMax;
    value = static_cast<DeliveryState>(byte);
  }
};

struct JsonWriter {
  base::Json out = base::Json::object();
  void operator()(const char* name, const std::string& value) { out[name] = value; }
  void operator()(const char* name, std::int64_t value) { out[name] = value; }
  void operator()(const char* name, double value) { out[name] = value; }
  void operator()(const char* name, bool value) { out[name] = value; }
  void operator()(const char* name, base::Instant value) {
    out[name] = value.ms == 0 ? base::Json() : base::Json(base::format_time(value));
  }
  void operator()(const char* name, Group value) { out[name] = std::string(to_text(value)); }
  void operator()(const char* name, DeliveryState value) { out[name] = std::string(to_text(value)); }
};

struct JsonReader {
  const base::Json& in;
  std::string problem;
  const base::Json* find(const char* name, bool right_type) {
    if (!right_type && problem.empty()) {
      problem = name;
    }
    return right_type ? &in.at(name) : nullptr;
  }
  void operator()(const char* name, std::string& value) {
    if (const auto* found = find(name, in.contains(name) && in.at(name).is_string())) {
      value = found->get<std::string>();
    }
  }
  void operator()(const char* name, std::int64_t& value) {
    if (const auto* found = find(name, in.contains(name) && in.at(name).is_number_integer())) {
      value = found->get<std::int64_t>();
    }
  }
  void operator()(const char* name, double& value) {
    if (const auto* found = find(name, in.contains(name) && in.at(name).is_number())) {
      value = found->get<double>();
    }
  }
  void operator()(const char* name, bool& value) {
    if (const auto* found = find(name, in.contains(name) && in.at(name).is_boolean())) {
      value = found->get<bool>();
    }
  }
  void operator()(const char* name, base::Instant& value) {
    if (in.contains(name) && in.at(name).is_null()) {
      return;
    }
    if (const auto* found = find(name, in.contains(name) && in.at(name).is_string())) {
      const auto at = base::parse_time(found->get<std::string>(), base::Zone::utc());
      value = at.value_or({});
      find(name, at.ok());
    }
  }
  void operator()(const char* name, Group& value) {
    std::string text;
    (*this)(name, text);
    for (std::size_t i = 1; i < kGroups.size(); ++i) {
      if (kGroups[i] == text) {
        value = static_cast<Group>(i);
        return;
      }
    }
    find(name, false);
  }
};

template <class T, class Visit>
std::string encode_with(const T& record, const Visit& visit) {
  ByteWriter writer;
  writer.out.u8(kSchemaVersion);
  visit(writer, record);
  return base::seal(writer.out.view());
}

template <class T, class Visit>
base::Result<T> decode_with(std::string_view bytes, const privacy::Pseudonym& customer, const Visit& visit) {
  BECKON_TRY(const std::string_view payload, base::open_sealed(bytes));
  ByteReader reader{base::Reader(payload)};
  if (reader.in.u8() != kSchemaVersion) {
    return base::data_loss("a record was written by a newer beckon: update this one");
  }
  T record;
  record.customer = customer;
  visit(reader, record);
  if (reader.bad || reader.in.failed() || !reader.in.at_end()) {
    return base::data_loss("a decision or delivery record is damaged: restore it from a backup");
  }
  return record;
}

}  // namespace

std::string_view to_text(Group group) { return kGroups.at(static_cast<std::size_t>(group)); }
std::string_view to_text(DeliveryState state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string encode(const Decision& decision) {
  return encode_with(decision, [](auto& v, const auto& d) { visit_decision(v, d); });
}
base::Result<Decision> decode_decision(std::string_view bytes, const privacy::Pseudonym& customer) {
  return decode_with<Decision>(bytes, customer, [](auto& v, auto& d) { visit_decision(v, d); });
}
std::string encode(const Delivery& delivery) {
  return encode_with(delivery, [](auto& v, const auto& d) { visit_delivery(v, d); });
}
base::Result<Delivery> decode_delivery(std::string_view bytes, const privacy::Pseudonym& customer) {
  return decode_with<Delivery>(bytes, customer, [](auto& v, auto& d) { visit_delivery(v, d); });
}

base::Json to_json(const Decision& decision) {
  JsonWriter writer;
  writer.out["customer"] = decision.customer.text();
  visit_decision(writer, decision);
  return writer.out;
}

base::Result<Decision> decision_from_json(const base::Json& json) {
  BECKON_TRY(const auto customer, privacy::Pseudonym::parse(base::string_or(json, "customer")));
  Decision decision;
  decision.customer = customer;
  JsonReader reader{json, {}};
  visit_decision(reader, decision);
  if (!reader.problem.empty()) {
    return base::invalid_argument("a receipt has no valid '" + reader.problem + "'");
  }
  return decision;
}

base::Json to_json(const Delivery& delivery) {
  JsonWriter writer;
  writer.out["customer"] = delivery.customer.text();
  visit_delivery(writer, delivery);
  return writer.out;
}

}  // namespace beckon::events
