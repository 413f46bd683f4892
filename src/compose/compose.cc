#include "beckon/compose/compose.h"

#include <algorithm>
#include <map>

#include "beckon/text/text.h"

namespace beckon::compose {
namespace {

constexpr std::size_t kNameMin = 6;  // a shorter rest of a name says nothing

// The language of the text: the customer's, else the shop's, else English.
const catalog::SlotText* pick_text(const catalog::Template& bank, const Facts& facts, std::string& language) {
  const auto kind = bank.texts.find(std::string(catalog::to_text(facts.offer->kind)));
  if (kind == bank.texts.end()) {
    return nullptr;
  }
  for (const auto& wanted : {text::primary_language(facts.language), text::primary_language(facts.fallback_language), std::string("en")}) {
    if (const auto found = kind->second.find(wanted); found != kind->second.end()) {
      language = wanted;
      return &found->second;
    }
  }
  return nullptr;
}

std::map<std::string, std::string> slot_values(const Facts& facts, const std::string& language) {
  const catalog::Offer& offer = *facts.offer;
  const base::Money& was = facts.item->current_price();
  std::map<std::string, std::string> values;
  values["item"] = facts.item->title_in(language, facts.fallback_language);
  values["price"] = text::format_money(offer.price_after(was), language);
  values["was"] = text::format_money(was, language);
  values["discount"] = offer.kind == catalog::OfferKind::kPercentOff ? text::format_percent(offer.depth_bp, language)
                                                                     : text::format_money(offer.face_cost(was), language);
  values["code"] = offer.code;
  values["expiry"] = text::format_date(facts.offer_until, facts.zone, language);
  return values;
}

std::string fill(const std::string& slot_text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < slot_text.size(); ++i) {
    if (slot_text[i] != '{') {
      out.push_back(slot_text[i]);
      continue;
    }
    const std::size_t end = slot_text.find('}', i);
    const auto found = values.find(slot_text.substr(i + 1, end - i - 1));
    BECKON_CHECK(end != std::string::npos && found != values.end());  // load_template let it through
    out += found->second;
    i = end;
  }
  return out;
}

// An offer that needs no code must not say "use  until": the sentence about the code goes.
std::string without_code_sentence(const std::string& slot_text) {
  const std::size_t slot = slot_text.find("{code}");
  if (slot == std::string::npos) {
    return slot_text;
  }
  const auto sentence_end = [&](std::size_t from) {
    std::size_t best = std::string::npos;
    for (const std::string_view mark : {std::string_view(". "), std::string_view("。")}) {
      const std::size_t at = slot_text.rfind(mark, from);
      if (at != std::string::npos && (best == std::string::npos || at + mark.size() > best)) {
        best = at + mark.size();
      }
    }
    return best;
  };
  const std::size_t start = sentence_end(slot);
  std::string rest = start == std::string::npos ? std::string("{item}: {price}") : slot_text.substr(0, start);
  while (!rest.empty() && rest.back() == ' ') {
    rest.pop_back();
  }
  return rest;
}

// Shortens the item's name until the text fits; false when even the shortest name is too long.
bool fit(const std::string& slot_text, std::size_t length_max, std::map<std::string, std::string> values, std::string& out) {
  out = fill(slot_text, values);
  const std::size_t length = text::grapheme_count(out);
  if (length_max == 0 || length <= length_max) {
    return true;
  }
  const std::size_t name = text::grapheme_count(values["item"]);
  const std::size_t over = length - length_max;
  if (name < over + kNameMin) {
    return false;
  }
  values["item"] = text::shorten(values["item"], name - over);
  out = fill(slot_text, values);
  return text::grapheme_count(out) <= length_max;
}

}  // namespace

Limits limits_of(const std::string& channel, const std::string& language) {
  const bool han = language == "zh" || language == "ja" || language == "ko";
  if (channel == "push" || channel == "inapp") {
    return han ? Limits{20, 50} : Limits{50, 120};
  }
  if (channel == "sms") {
    return han ? Limits{0, 70} : Limits{0, 160};
  }
  return {120, 0};
}

base::Result<Message> write_message(const privacy::Permit<privacy::Purpose::kMarketing>& permit, const catalog::Template& bank,
                                    const Facts& facts) {
  Message message;
  const catalog::SlotText* slot_text = pick_text(bank, facts, message.language);
  if (slot_text == nullptr) {
    return base::failed_precondition("template " + bank.id + " has no text for " + std::string(catalog::to_text(facts.offer->kind)) +
                                     " in " + facts.language + ", " + facts.fallback_language + " or en: add one");
  }
  const auto values = slot_values(facts, message.language);
  if (!facts.item->has_title(message.language)) {
    message.notes.push_back("no_title_in_" + message.language);
  }
  if (message.language != text::primary_language(facts.language)) {
    message.notes.push_back("no_text_in_" + text::primary_language(facts.language));
  }
  const std::string body = facts.offer->code.empty() ? without_code_sentence(slot_text->body) : slot_text->body;
  const Limits limits = limits_of(permit.channel(), message.language);
  if (!fit(slot_text->subject, limits.subject_max, values, message.subject) || !fit(body, limits.body_max, values, message.body)) {
    return base::failed_precondition("the text for item " + facts.item->id.str() + " does not fit " + permit.channel() +
                                     ": shorten the template or the item's title");
  }
  if (message.body.find(values.at("item")) == std::string::npos) {
    message.notes.push_back("shortened");
  }
  message.link = facts.item->link;
  message.image_link = facts.item->image_link;
  return message;
}

}  // namespace beckon::compose
