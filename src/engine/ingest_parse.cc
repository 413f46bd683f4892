// Lines → events under pseudonyms, on the workers.
#include <algorithm>
#include <cstring>

#include "ingest.h"

namespace beckon::engine {
namespace {

constexpr std::size_t kCacheMax = 200'000;  // ids kept per worker

events::EventId hash_id(std::string_view text) {
  events::EventId id{};
  const std::uint64_t high = base::stable_hash(text, 1);
  const std::uint64_t low = base::stable_hash(text, 2);
  std::memcpy(id.data(), &high, 8);
  std::memcpy(id.data() + 8, &low, 8);
  return id;
}

// docs/privacy.md holds the same table; traits that are in neither list are dropped.
enum class TraitPlace { kOpen, kSealed, kDropped };
std::pair<TraitPlace, std::string> place_of(const std::string& trait) {
  static const std::map<std::string, std::pair<TraitPlace, std::string>> kPlaces{
      {"language", {TraitPlace::kOpen, "language"}},   {"locale", {TraitPlace::kOpen, "language"}},
      {"timezone", {TraitPlace::kOpen, "timezone"}},   {"country", {TraitPlace::kOpen, "country"}},
      {"email", {TraitPlace::kSealed, "email"}},       {"phone", {TraitPlace::kSealed, "phone"}},
      {"name", {TraitPlace::kSealed, "name"}},         {"firstName", {TraitPlace::kSealed, "first_name"}},
      {"lastName", {TraitPlace::kSealed, "last_name"}}, {"push_token", {TraitPlace::kSealed, "push_token"}}};
  const auto found = kPlaces.find(trait);
  return found == kPlaces.end() ? std::pair{TraitPlace::kDropped, std::string()} : found->second;
}

// "United Kingdom" and the like of shop exports → ISO 3166; a code stays a code; anything else says nothing about zones.
std::string country_code(const std::string& text) {
  static const std::map<std::string, std::string> kNames{
      {"United Kingdom", "GB"}, {"Germany", "DE"}, {"France", "FR"}, {"EIRE", "IE"}, {"Ireland", "IE"}, {"Spain", "ES"},
      {"Netherlands", "NL"}, {"Belgium", "BE"}, {"Switzerland", "CH"}, {"Portugal", "PT"}, {"Australia", "AU"}, {"Norway", "NO"},
      {"Italy", "IT"}, {"Finland", "FI"}, {"Japan", "JP"}, {"Sweden", "SE"}, {"Austria", "AT"}, {"Denmark", "DK"},
      {"Poland", "PL"}, {"USA", "US"}, {"United States", "US"}, {"Canada", "CA"}, {"China", "CN"}, {"中国", "CN"},
      {"Singapore", "SG"}, {"Greece", "GR"}, {"Cyprus", "CY"}, {"Israel", "IL"}, {"Iceland", "IS"}, {"Hong Kong", "HK"},
      {"Malta", "MT"}, {"Lithuania", "LT"}, {"Czech Republic", "CZ"}, {"Brazil", "BR"}, {"Bahrain", "BH"}, {"RSA", "ZA"},
      {"Lebanon", "LB"}, {"Saudi Arabia", "SA"}, {"United Arab Emirates", "AE"}, {"Channel Islands", "JE"}};
  const auto found = kNames.find(text);
  if (found != kNames.end()) {
    return found->second;
  }
  const bool code = text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return code ? text : std::string();
}

// Everything that makes two lines without a message id the same line.
std::uint64_t content_hash(const events::Event& e) {
  base::Writer text;
  text.raw(e.customer.bytes());
  text.zigzag(e.at.ms);
  text.u8(static_cast<std::uint8_t>(e.type));
  for (const auto* part : {&e.item, &e.order, &e.channel, &e.market, &e.campaign, &e.coupon}) {
    text.text(*part);
  }
  text.zigzag(e.quantity);
  text.zigzag(e.unit_price.minor());
  const std::uint64_t hash = base::stable_hash(text.view(), 3);
  return hash == 0 ? 1 : hash;
}

}  // namespace

BlockParser::BlockParser(const Context& context, const events::ParseOptions& options)
    : context_(context), options_(options), json_(options) {}

base::Status BlockParser::set_csv_header(std::string_view header) {
  BECKON_TRY(auto parser, events::CsvParser::make(context_.config.csv, header, options_));
  csv_.emplace(std::move(parser));
  return base::ok_status();
}

const privacy::Pseudonym& BlockParser::pseudonym_of(const std::string& id) {
  if (cache_.size() > kCacheMax) {
    cache_.clear();
    announced_.clear();
  }
  const auto found = cache_.find(id);
  return found != cache_.end() ? found->second : cache_.emplace(id, context_.ring->pseudonym(id)).first->second;
}

void BlockParser::add_person(const events::RawEvent& raw, const privacy::Pseudonym& customer, ParsedBlock& out) {
  const std::string& user = raw.user_id.open();
  PersonChange change;
  change.customer = customer;
  change.original_id = user;
  for (const auto& [trait, value] : raw.traits) {
    const auto [place, name] = place_of(trait);
    if (place == TraitPlace::kOpen) {
      const std::string text = name == "country" ? country_code(value.open()) : value.open().substr(0, 64);
      if (!text.empty()) {
        change.open[name] = text;
      }
    } else if (place == TraitPlace::kSealed) {
      change.to_seal[name] = value.open();
    }
  }
  change.consents = raw.consents;
  if (!user.empty() && !raw.previous_id.open().empty()) {
    change.link = pseudonym_of("anonymous|" + raw.previous_id.open());
  } else if (!user.empty() && !raw.anonymous_id.open().empty() && raw.type == events::EventType::kIdentify) {
    change.link = pseudonym_of("anonymous|" + raw.anonymous_id.open());
  }
  const bool says_more = !change.open.empty() || !change.to_seal.empty() || !change.consents.empty() || change.link.has_value();
  bool& announced = announced_[user];
  // Country and the like stand on every line of a CSV: once per id and parser is enough unless something personal comes with it.
  const bool repeats = announced && change.to_seal.empty() && change.consents.empty() && !change.link.has_value() &&
                       raw.type != events::EventType::kIdentify;
  if ((says_more || !user.empty()) && !repeats) {
    announced = announced || !user.empty();
    out.persons.push_back(std::move(change));
  }
}

void BlockParser::add(const events::RawEvent& raw, ParsedBlock& out) {
  const bool known = !raw.user_id.open().empty();
  const privacy::Pseudonym customer = pseudonym_of(known ? raw.user_id.open() : "anonymous|" + raw.anonymous_id.open());
  add_person(raw, customer, out);
  events::Event event;
  event.customer = customer;
  event.at = raw.at;
  event.type = raw.type;
  event.channel = raw.channel;
  event.market = raw.market;
  event.campaign = raw.campaign;
  event.delivery = raw.delivery;
  event.coupon = raw.coupon;
  event.clock_corrected = raw.clock_corrected;
  if (!raw.order_id.open().empty()) {
    if (raw.order_id.open() != last_order_) {
      last_order_ = raw.order_id.open();
      last_order_hash_ = context_.ring->keyed_hash(last_order_);
    }
    event.order = last_order_hash_;
  }
  const std::size_t count = std::max<std::size_t>(1, raw.items.size());
  for (std::size_t i = 0; i < count; ++i) {
    events::Event one = event;
    if (i < raw.items.size()) {
      one.item = raw.items[i].item;
      one.quantity = raw.items[i].quantity;
      one.unit_price = raw.items[i].unit_price;
    }
    if (!raw.message_id.empty()) {
      one.id = hash_id(raw.message_id + "\n" + std::to_string(i));
    }
    out.content.push_back(raw.message_id.empty() ? content_hash(one) : 0);
    if (i < raw.items.size()) {  // not part of what makes two lines the same: a file read by an older beckon stays the same file
      one.discount_minor = raw.items[i].discount_minor;
      one.coupon = raw.items[i].coupon.empty() ? one.coupon : raw.items[i].coupon;
    }
    out.events.push_back(std::move(one));
  }
}

ParsedBlock BlockParser::parse(const table::Block& block) {
  ParsedBlock out;
  const auto reject = [&](const table::Line& line, const events::Reject& why) {
    out.rejects.push_back({line.number, why.field, why.reason, context_.ring->keyed_hash(line.text)});
  };
  for (const table::Line& line : block.lines) {
    ++out.lines;
    if (line.too_long) {
      reject(line, {"", "line_too_long"});
      continue;
    }
    std::vector<events::Parsed> parsed;
    if (csv_.has_value()) {
      parsed.push_back(csv_->parse(line.text));
    } else {
      parsed = json_.parse(line.text);
    }
    for (auto& entry : parsed) {
      if (const auto* raw = std::get_if<events::RawEvent>(&entry)) {
        add(*raw, out);
      } else {
        reject(line, std::get<events::Reject>(entry));
      }
    }
  }
  return out;
}

OccurrenceCounter::~OccurrenceCounter() {
  if (scratch_ != nullptr) {
    scratch_.reset();
    remove_scratch();
  }
}

void OccurrenceCounter::remove_scratch() const {
  base::PosixFileSystem files;
  if (const auto names = files.list(folder_); names.ok()) {
    for (const auto& name : *names) {
      static_cast<void>(files.remove(folder_ + "/" + name));
    }
  }
  static_cast<void>(files.remove(folder_));
}

base::Status OccurrenceCounter::spill() {
  if (scratch_ == nullptr) {
    remove_scratch();  // of an ingest that was killed: its counts would number the same lines anew and let them in twice
    BECKON_TRY(scratch_, store::open_rocksdb(folder_));
  }
  store::WriteBatch changes;
  for (const auto& [content, count] : recent_) {
    base::Writer key;
    key.be64(content);
    base::Writer value;
    value.varint(count);
    changes.put(key.take(), value.take());
  }
  recent_.clear();
  return scratch_->write(changes);
}

base::Result<std::uint32_t> OccurrenceCounter::next(std::uint64_t content) {
  if (recent_.size() >= recent_max_) {
    BECKON_TRY_STATUS(spill());
  }
  const auto [found, added] = recent_.try_emplace(content, 0U);
  if (added && scratch_ != nullptr) {
    base::Writer key;
    key.be64(content);
    BECKON_TRY(const auto stored, scratch_->get(key.view()));
    if (stored.has_value()) {
      base::Reader in(*stored);
      found->second = static_cast<std::uint32_t>(in.varint());
    }
  }
  return found->second++;
}

}  // namespace beckon::engine
