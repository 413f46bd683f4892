#include "beckon/store/records.h"

#include "beckon/base/codec.h"

namespace beckon::store {
namespace {

std::string decision_rest(const std::string& campaign, const std::string& period, std::int64_t slot) {
  base::Writer rest;
  rest.text(campaign);
  rest.text(period);
  rest.varint(static_cast<std::uint64_t>(slot));
  return rest.take();
}

std::string named_key(char table, const std::string& name) { return std::string{'\0', table} + name; }

// Rows of one customer (or, without one, of everybody) decoded by `decode`.
template <class T, class Decode>
base::Status each_row(const KeyValue& rows, const std::string& prefix, const Decode& decode,
                      const std::function<bool(const T&)>& visit) {
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows.scan(prefix, [&](std::string_view key, std::string_view value) {
    const auto customer = privacy::Pseudonym::from_bytes(key.substr(2, privacy::Pseudonym::kBytes));
    if (!customer.ok()) {
      problem = customer.error();
      return false;
    }
    auto record = decode(value, *customer);
    if (!record.ok()) {
      problem = record.error();
      return false;
    }
    return visit(*record);
  }));
  return problem;
}

template <class T, class Decode>
base::Status each_customer_row(const KeyValue& rows, char table, const Decode& decode, const std::function<bool(const T&)>& visit) {
  bool go_on = true;
  for (int partition = 0; partition < 256 && go_on; ++partition) {
    BECKON_TRY_STATUS(each_row<T>(rows, std::string{static_cast<char>(partition), table}, decode, [&](const T& record) {
      go_on = visit(record);
      return go_on;
    }));
  }
  return base::ok_status();
}

template <class T, class Decode>
base::Result<std::vector<T>> collect(const KeyValue& rows, const std::string& prefix, const Decode& decode) {
  std::vector<T> out;
  BECKON_TRY_STATUS(each_row<T>(rows, prefix, decode, [&](const T& record) {
    out.push_back(record);
    return true;
  }));
  return out;
}

}  // namespace

void Records::put(const events::Decision& d, WriteBatch& changes) {
  changes.put(customer_key('d', d.customer, decision_rest(d.campaign, d.period, d.slot)), events::encode(d));
}

base::Result<std::vector<events::Decision>> Records::decisions(const privacy::Pseudonym& customer) const {
  return collect<events::Decision>(rows_, customer_key('d', customer), events::decode_decision);
}

base::Status Records::for_each_decision(const std::function<bool(const events::Decision&)>& visit) const {
  return each_customer_row<events::Decision>(rows_, 'd', events::decode_decision, visit);
}

base::Status Records::remove_decisions(const std::string& campaign, const std::string& period, WriteBatch& changes) const {
  return for_each_decision([&](const events::Decision& d) {
    if (d.campaign == campaign && d.period == period) {
      changes.remove(customer_key('d', d.customer, decision_rest(d.campaign, d.period, d.slot)));
    }
    return true;
  });
}

void Records::put(const events::Delivery& d, WriteBatch& changes) {
  changes.put(customer_key('l', d.customer, d.id), events::encode(d));
}

base::Result<std::optional<events::Delivery>> Records::delivery(const privacy::Pseudonym& customer, const std::string& id) const {
  BECKON_TRY(const auto bytes, rows_.get(customer_key('l', customer, id)));
  if (!bytes.has_value()) {
    return std::optional<events::Delivery>();
  }
  BECKON_TRY(auto delivery, events::decode_delivery(*bytes, customer));
  return std::optional<events::Delivery>(std::move(delivery));
}

base::Result<std::vector<events::Delivery>> Records::deliveries(const privacy::Pseudonym& customer) const {
  return collect<events::Delivery>(rows_, customer_key('l', customer), events::decode_delivery);
}

base::Status Records::for_each_delivery(const std::function<bool(const events::Delivery&)>& visit) const {
  return each_customer_row<events::Delivery>(rows_, 'l', events::decode_delivery, visit);
}

void Records::put(const std::string& name, const Counter& counter, WriteBatch& changes) {
  base::Writer out;
  out.u8(1);
  for (const std::int64_t value : {counter.limit, counter.planned, counter.escrowed, counter.settled}) {
    out.zigzag(value);
  }
  changes.put(named_key('B', name), base::seal(out.view()));
}

base::Result<std::map<std::string, Counter>> Records::counters(const std::string& prefix) const {
  std::map<std::string, Counter> out;
  base::Status problem = base::ok_status();
  BECKON_TRY_STATUS(rows_.scan(named_key('B', prefix), [&](std::string_view key, std::string_view value) {
    const auto payload = base::open_sealed(value);
    base::Reader in(payload.value_or(""));
    const bool known = in.u8() == 1;
    Counter counter;
    for (std::int64_t* field : {&counter.limit, &counter.planned, &counter.escrowed, &counter.settled}) {
      *field = in.zigzag();
    }
    if (!known || in.failed()) {
      problem = base::data_loss("a campaign counter is damaged: restore the shop from a backup");
      return false;
    }
    out[std::string(key.substr(2))] = counter;
    return true;
  }));
  BECKON_TRY_STATUS(problem);
  return out;
}

base::Result<std::optional<Counter>> Records::counter(const std::string& name) const {
  BECKON_TRY(const auto found, counters(name));
  const auto own = found.find(name);
  return own == found.end() ? std::optional<Counter>() : std::optional<Counter>(own->second);
}

void Records::put_note(const std::string& name, const std::string& text, WriteBatch& changes) {
  changes.put(named_key('M', name), text);
}

base::Result<std::optional<std::string>> Records::note(const std::string& name) const { return rows_.get(named_key('M', name)); }

base::Result<std::map<std::string, std::string>> Records::notes(const std::string& prefix) const {
  std::map<std::string, std::string> out;
  BECKON_TRY_STATUS(rows_.scan(named_key('M', prefix), [&](std::string_view key, std::string_view value) {
    out[std::string(key.substr(2))] = value;
    return true;
  }));
  return out;
}

}  // namespace beckon::store
