// What may be said of a campaign, in words; and the shop's own total.
#include <cmath>

#include "pages.h"

namespace beckon::engine {
namespace {

std::string count(std::int64_t value) { return base::with_thousands(value); }

// Conversion is a share, the others are money per customer.
std::string value_text(const std::string& metric, double value, const std::string& currency) {
  return metric == "conversion" ? percent(value, 2) : amount(std::llround(value), currency) + " " + currency;
}

std::string metric_words(const std::string& metric) {
  return metric == "conversion"   ? "share of customers who bought"
         : metric == "revenue"    ? "sales per customer"
         : metric == "net_margin" ? "margin per customer, promotion paid, net of returns so far and expected"
                                  : "margin per customer, promotion paid";
}

std::string explanation(const base::Json& judged, const std::string& currency) {
  const std::string metric = base::string_or(judged, "metric");
  const std::string verdict = base::string_or(judged, "verdict");
  const auto text = [&](const char* key) { return value_text(metric, base::real_or(judged, key), currency); };
  const std::string seen = "difference " + text("difference") + " (" + text("low") + " … " + text("high") + ")";
  if (verdict == "not yet") {
    return "Not yet: " + count(base::int_or(judged, "days_left")) + " more days until the horizon stored in the plan is over. So far: " + seen +
           ", an interval that may be looked at every day.";
  }
  if (verdict == "cannot tell at this size") {
    const std::int64_t needed = base::int_or(judged, "customers_needed");
    return "Cannot tell at this size: " + seen + ". These groups find " + text("smallest_effect") + " or more in four of five campaigns" +
           (needed > 0 ? "; a difference as small as the one seen needs about " + count(needed) + " customers, " + count(base::int_or(judged, "customers")) + " took part."
                       : ".");
  }
  if (verdict == "helps" || verdict == "harms") {
    return "The campaign " + verdict + ": " + seen + ".";
  }
  return "Nothing can be said: the campaign has no control group. Set holdout_share in the campaign file.";
}

report::Table arms_table(const base::Json& judged, const std::string& currency) {
  using report::Align;
  const std::string metric = base::string_or(judged, "metric");
  report::Table table;
  table.title = "Business as usual: " + metric_words(metric);
  table.columns = {{"compared", Align::kLeft}, {"customers", Align::kRight}, {"against", Align::kRight}, {"difference", Align::kRight},
                   {"95 % interval", Align::kRight}};
  const auto add = [&](const char* key, const std::string& name) {
    const base::Json& lift = judged[key];
    const bool known = base::bool_or(lift, "known");
    const auto text = [&](const char* field) { return value_text(metric, base::real_or(lift, field), currency); };
    table.rows.push_back({name, count(base::int_or(lift, "treated")), count(base::int_or(lift, "control")), known ? text("difference") : "too few",
                          known ? text("low") + " … " + text("high") : "–"});
  };
  add("against_usual", "beckon / business as usual");
  add("usual_against_holdout", "business as usual / held out");
  return table;
}

}  // namespace

report::Section verdict_section(const base::Json& judged, const std::string& currency) {
  report::Section section;
  section.heading = "Verdict";
  section.figures = {{"Verdict", base::string_or(judged, "verdict"),
                      metric_words(base::string_or(judged, "metric")) + ", " + count(base::int_or(judged, "horizon_days")) + " days, stored before the start"}};
  section.paragraphs = {explanation(judged, currency)};
  const base::Json leak = judged.value("leakage", base::Json::object());
  if (const std::int64_t leaked = base::int_or(leak, "leaked"); leaked > 0) {
    section.callouts.push_back({report::CalloutKind::kWarning,
                                count(leaked) + " of " + count(base::int_or(leak, "held_out")) +
                                    " held-out customers used a code of this campaign or answered it: the difference is smaller than the effect."});
  }
  if (judged.contains("against_usual")) {
    section.tables.push_back(arms_table(judged, currency));
  }
  return section;
}

report::Section shop_section(const base::Json& shop, const std::string& currency) {
  using report::Align;
  report::Section section;
  section.heading = "The shop as a whole";
  if (!shop.is_object()) {
    section.paragraphs = {"No total: nothing was sent yet, or the shop keeps no global holdout ([groups] holdout_share). Lifts of campaigns are never summed."};
    return section;
  }
  section.paragraphs = {"All customers outside the global holdout against those in it (" + percent(base::real_or(shop, "holdout_share"), 1) +
                        " of all customers), since the first message on " + base::string_or(shop, "since").substr(0, 10) +
                        ". This is the only total: lifts of campaigns are never summed."};
  report::Table table;
  table.columns = {{"per customer", Align::kLeft}, {"customers", Align::kRight}, {"held out", Align::kRight}, {"difference", Align::kRight},
                   {"95 % interval", Align::kRight}, {"grade", Align::kLeft}};
  for (const auto& [metric, lift] : shop["lift"].items()) {
    const bool known = base::bool_or(lift, "known");
    const auto text = [&](const char* field) { return value_text(metric, base::real_or(lift, field), currency); };
    table.rows.push_back({metric_words(metric), count(base::int_or(lift, "treated")), count(base::int_or(lift, "control")), known ? text("difference") : "too few",
                          known ? text("low") + " … " + text("high") : "–", base::string_or(lift, "grade")});
  }
  section.tables = {table};
  return section;
}

}  // namespace beckon::engine
