#include "messages.h"

#include <cstdlib>

#include "campaigns.h"

namespace beckon::engine {
namespace {

std::string open_field(const store::Profile* profile, const char* name, const std::string& fallback) {
  const auto found = profile->open.find(name);
  return found == profile->open.end() ? fallback : found->second;
}

// From the environment or a file, never from beckon.toml itself, which gets copied and shown.
base::Result<std::string> webhook_secret(const Context& context, const catalog::Channel& channel) {
  if (!channel.secret_env.empty()) {
    const char* value = std::getenv(channel.secret_env.c_str());
    if (value == nullptr || *value == '\0') {
      return base::failed_precondition("[channel." + channel.id + "]: the environment variable " + channel.secret_env +
                                       " is not set: put the webhook's secret (whsec_…) there, or name a secret_file");
    }
    return std::string(value);
  }
  const std::string path = channel.secret_file.starts_with("/") ? channel.secret_file : context.path(channel.secret_file);
  const auto text = context.files->read(path);
  if (!text.ok()) {
    return base::failed_precondition("[channel." + channel.id + "]: secret_file " + channel.secret_file +
                                     " cannot be read: put the webhook's secret (whsec_…) there, mode 0400, or name secret_env");
  }
  return *text;
}

}  // namespace

base::Result<std::string> render_payload(const RenderParts& parts, const privacy::Permit<privacy::Purpose::kMarketing>& permit,
                                         const RenderFacts& facts, const std::pair<const store::Profile*, std::string>& profile_and_to) {
  const events::Delivery& delivery = *facts.delivery;
  const catalog::Market& market = parts.context->config.shop.market(delivery.market);
  const catalog::Offer* offer = parts.campaign->offer(base::OfferId(delivery.offer));
  BECKON_CHECK(offer != nullptr);
  const auto zones = deliver::zones_of(*profile_and_to.first, market);
  compose::Facts compose_facts{facts.item, offer, delivery.offer_until, open_field(profile_and_to.first, "language", market.language),
                               market.language, zones.empty() ? market.time_zone() : zones.front()};
  BECKON_TRY(const compose::Message message, compose::write_message(permit, *parts.bank, compose_facts));
  base::Json payload = {{"id", delivery.id},
                        {"to", profile_and_to.second},
                        {"channel", delivery.channel},
                        {"campaign", delivery.campaign},
                        {"language", message.language},
                        {"subject", message.subject},
                        {"body", message.body},
                        {"link", message.link},
                        {"image_link", message.image_link},
                        {"item", delivery.item},
                        {"offer", delivery.offer},
                        {"code", delivery.code},
                        {"market", delivery.market},
                        {"currency", delivery.currency},
                        {"price", offer->price_after(facts.item->current_price()).amount_string()},
                        {"valid_until", base::format_time(delivery.offer_until)}};
  if (delivery.replay || parts.context->replay()) {
    payload["replay"] = true;
  }
  if (!message.notes.empty()) {
    payload["notes"] = message.notes;
  }
  return base::to_line(payload);
}

base::Result<std::vector<base::Json>> render_all(Context& context, const decide::PlanFile& file, const catalog::Campaign& campaign) {
  BECKON_TRY(const catalog::Template bank, read_template(context, campaign.template_id));
  const store::People people(*context.rows);
  const store::Shelf shelf(*context.rows);
  const base::Instant now = context.clock->now();
  std::vector<base::Json> out;
  for (const auto& decision : file.plan.decisions) {
    if (!decision.chosen || events::is_held_out(decision.group)) {
      continue;
    }
    BECKON_TRY(const auto consent, people.consent(decision.customer));
    const auto& rule = context.config.shop.market(decision.market).rule;
    const auto permit = privacy::grant<privacy::Purpose::kMarketing>(decision.customer, consent, rule, {decision.channel, now});
    BECKON_TRY(const auto item, shelf.item(decision.market, base::ItemId(decision.item)));
    if (!permit.ok() || !item.has_value()) {
      out.push_back({{"customer", decision.customer.text()}, {"not_sent", permit.ok() ? "item_gone" : "no_consent"}});
      continue;
    }
    events::Delivery delivery;
    delivery.id = deliver::delivery_id(context.tenant, decision);
    delivery.customer = decision.customer;
    delivery.campaign = decision.campaign;
    delivery.channel = decision.channel;
    delivery.market = decision.market;
    delivery.currency = decision.currency;
    delivery.item = decision.item;
    delivery.offer = decision.offer;
    const catalog::Offer* offer = campaign.offer(base::OfferId(decision.offer));
    BECKON_CHECK(offer != nullptr);
    delivery.code = offer->code;
    delivery.offer_until = now.plus_ms(offer->valid_days * base::kDayMs);
    BECKON_TRY(const auto profile, people.profile(decision.customer));
    const store::Profile known = profile.value_or(store::Profile{});
    BECKON_TRY(const std::string line, render_payload({&context, &campaign, &bank}, *permit, {&delivery, &*item},
                                                      {&known, decision.customer.text()}));
    base::Json message = base::parse_json(line).value();
    message["margin_minor"] = (item->cost.has_value() ? item->current_price().minor() - item->cost->minor()
                                                      : item->current_price().percent(context.config.shop.margin_bp, base::Rounding::kDown)
                                                            .value_or(base::Money()).minor()) - decision.face_minor;
    message["discount_minor"] = decision.face_minor;
    message["name"] = item->title_in(base::string_or(message, "language"), context.config.shop.market(decision.market).language);
    out.push_back(std::move(message));
  }
  return out;
}

base::Result<std::unique_ptr<deliver::Transport>> open_transport(Context& context, const catalog::Channel& channel) {
  if (channel.transport == "webhook") {
    deliver::WebhookOptions options;
    options.url = channel.url;
    options.allow_private_addresses = channel.allow_private_addresses;
    options.clock = context.clock.get();
    BECKON_TRY(options.secret, webhook_secret(context, channel));
    auto opened = deliver::open_webhook_transport(options);
    return opened.ok() ? std::move(opened) : base::Result<std::unique_ptr<deliver::Transport>>(opened.error().at("[channel." + channel.id + "]"));
  }
  const std::string folder = context.path(context.config.shop.folder_outbox);
  BECKON_TRY_STATUS(context.files->make_dirs(folder));
  return deliver::open_file_transport(*context.files, folder + "/" + channel.id + ".jsonl");
}

}  // namespace beckon::engine
