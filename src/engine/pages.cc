#include "pages.h"

#include <cmath>

namespace beckon::engine {
namespace {

std::string count(std::int64_t value) { return base::with_thousands(value); }

std::string decimal(double value, const char* format) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string rate(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "–" : percent(static_cast<double>(part) / static_cast<double>(whole));
}

// Means of money are shown in the major unit, others as they are.
std::string mean_text(const std::string& metric, double value, const std::string& currency) {
  if (metric == "conversion") {
    return percent(value, 2);
  }
  return amount(std::llround(value), currency);
}

report::Table slice_table(const std::string& title, const base::Json& rows, const std::string& currency) {
  using report::Align;
  report::Table table;
  table.title = title;
  table.columns = {{"", Align::kLeft}, {"sent", Align::kRight}, {"opened", Align::kRight}, {"clicked", Align::kRight},
                   {"click-through", Align::kRight}, {"conversion", Align::kRight}, {"sales", Align::kRight, currency},
                   {"by click or code", Align::kRight, currency}, {"cost", Align::kRight, currency}};
  for (const auto& row : rows) {
    const std::int64_t sent = base::int_or(row, "sent");
    table.rows.push_back({base::string_or(row, "name"), count(sent), count(base::int_or(row, "opened")), count(base::int_or(row, "clicked")),
                          rate(base::int_or(row, "clicked"), sent), rate(base::int_or(row, "converted"), sent), amount(base::int_or(row, "revenue_minor"), currency),
                          amount(base::int_or(row, "attributed_minor"), currency), amount(base::int_or(row, "promotion_minor"), currency)});
  }
  return table;
}

report::Table lift_table(const std::string& metric, const base::Json& rows, const std::string& currency) {
  using report::Align;
  report::Table table;
  table.title = metric == "conversion" ? "Customers who bought" : metric == "revenue" ? "Sales per customer" : "Margin per customer, promotion paid";
  table.columns = {{"compared", Align::kLeft}, {"with", Align::kRight}, {"held out", Align::kRight}, {"mean with", Align::kRight},
                   {"mean held out", Align::kRight}, {"difference", Align::kRight}, {"95 % interval", Align::kRight}};
  for (const auto& row : rows) {
    const bool known = base::bool_or(row, "known");
    const std::string name = base::string_or(row, "name");
    table.rows.push_back({name == "audience" ? "whole audience" : name == "chosen" ? "chosen / would have been chosen" : "offer " + name,
                          count(base::int_or(row, "treated")), count(base::int_or(row, "control")),
                          mean_text(metric, base::real_or(row, "treated_mean"), currency),
                          mean_text(metric, base::real_or(row, "control_mean"), currency),
                          known ? mean_text(metric, base::real_or(row, "difference"), currency) : "too few",
                          known ? mean_text(metric, base::real_or(row, "low"), currency) + " … " + mean_text(metric, base::real_or(row, "high"), currency)
                                : "–"});
  }
  return table;
}

report::Chart lift_chart(const base::Json& rows, const std::string& currency) {
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = "Extra margin per customer, by assignment";
  chart.x_label = "compared";
  chart.y_label = "difference to the held-out";
  chart.unit = currency;
  report::Series series{"difference with 95 % interval", {}, {}, {}};
  const double unit = std::pow(10.0, base::Currency::parse(currency).value_or({}).decimals());  // minor units of a major one
  for (const auto& row : rows) {
    if (!base::bool_or(row, "known")) {
      continue;
    }
    const std::string name = base::string_or(row, "name");
    chart.categories.push_back(name == "audience" ? "whole audience" : name == "chosen" ? "chosen" : "offer " + name);
    series.y.push_back(base::real_or(row, "difference") / unit);
    series.low.push_back(base::real_or(row, "low") / unit);
    series.high.push_back(base::real_or(row, "high") / unit);
  }
  chart.series = {series};
  chart.note = "Whoever was assigned stays in his group, sent or not. An interval that holds 0 shows no effect.";
  return chart;
}

report::Table pairs_table(const std::string& title, const base::Json& object, const std::string& left) {
  report::Table table;
  table.title = title;
  table.columns = {{left, report::Align::kLeft}, {"customers", report::Align::kRight}};
  for (const auto& [name, value] : object.items()) {
    table.rows.push_back({name, count(value.get<std::int64_t>())});
  }
  return table;
}

report::Section money_section(const base::Json& json, const std::string& currency) {
  using report::Align;
  report::Section section;
  section.heading = "Budgets";
  report::Table table;
  table.columns = {{"budget", Align::kLeft}, {"basis", Align::kLeft}, {"limit", Align::kRight, currency}, {"planned", Align::kRight, currency},
                   {"escrowed", Align::kRight, currency}, {"settled", Align::kRight, currency}};
  for (const auto& row : json["budgets"]) {
    table.rows.push_back({base::string_or(row, "budget"), base::string_or(row, "basis"), amount(base::int_or(row, "limit_minor"), currency),
                          amount(base::int_or(row, "planned_minor"), currency), amount(base::int_or(row, "escrowed_minor"), currency),
                          amount(base::int_or(row, "settled_minor"), currency)});
  }
  table.note = "Face: every issued offer counts in full until it is redeemed or expires. Escrowed + settled never pass the limit.";
  section.tables = {table};
  return section;
}

// What each offer is believed or was measured to add; nothing here is a result of this campaign.
report::Table effects_table(const base::Json& effects) {
  using report::Align;
  report::Table table;
  table.title = "What the values rest on: purchases an offer adds, as a share of those that would happen anyway";
  table.columns = {{"offer", Align::kLeft}, {"adds", Align::kRight}, {"95 % interval", Align::kRight}, {"grade", Align::kLeft},
                   {"customers", Align::kRight}, {"more needed", Align::kRight}};
  for (const auto& effect : effects) {
    const std::int64_t customers = base::int_or(effect, "customers");
    const std::int64_t needed = base::int_or(effect, "customers_needed");
    table.rows.push_back({base::string_or(effect, "offer"), percent(base::real_or(effect, "extra_share"), 0),
                          percent(base::real_or(effect, "low"), 0) + " … " + percent(base::real_or(effect, "high"), 0), base::string_or(effect, "grade"),
                          customers > 0 ? count(customers) : "–", needed > 0 ? count(needed) : "–"});
  }
  table.note = "Assumed: stated in beckon.toml. Randomised: measured by this shop's own held-out groups. \"More needed\": customers until \"assumed\" can end.";
  return table;
}

report::Section plan_section(const base::Json& plan, const std::string& currency) {
  report::Section section;
  section.heading = "The plan";
  const base::Json& certificate = plan["certificate"];
  if (base::bool_or(certificate, "optimising")) {
    const base::Json by_grade = plan.value("value_by_grade", base::Json::object());
    for (const auto& [grade, total] : by_grade.items()) {
      section.figures.push_back({"Forecast, " + grade, amount(std::llround(base::real_or(total, "value_minor")), currency),
                                 "margin change of " + count(base::int_or(total, "messages")) + " messages to the treated"});
    }
    section.figures.push_back({"No plan could forecast more than", amount(std::llround(base::real_or(certificate, "upper_bound_minor")), currency), "under the same estimates"});
    section.figures.push_back({"Gap", percent(base::real_or(certificate, "gap"), 4), "between the two"});
  }
  section.tables = {pairs_table("Groups", plan["groups"], "group"), pairs_table("Who got nothing, and why", plan["not_chosen"], "reason")};
  if (plan.contains("effects") && !plan["effects"].empty()) {
    section.tables.push_back(effects_table(plan["effects"]));
  }
  return section;
}

report::Section assumptions_section(const base::Json& json) {
  report::Section section;
  section.heading = "What the plan rests on";
  for (const auto& text : json["assumptions"]) {
    section.callouts.push_back({report::CalloutKind::kNotice, text.get<std::string>()});
  }
  return section;
}

}  // namespace

std::string amount(std::int64_t minor, const std::string& currency) {
  const auto known = base::Currency::parse(currency);
  const std::string text = base::Money(minor, known.value_or({})).amount_string();
  const auto point = text.find('.');
  const std::string whole = text.substr(text[0] == '-' ? 1 : 0, (point == std::string::npos ? text.size() : point) - (text[0] == '-' ? 1 : 0));
  return std::string(text[0] == '-' ? "−" : "") + base::with_thousands(std::stoll(whole)) + (point == std::string::npos ? "" : text.substr(point));
}

std::string percent(double share, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %%", decimals, std::abs(share) * 100);
  return (share < 0 ? "−" : "") + std::string(text);
}

report::Chart reliability_chart(const std::string& title, const base::Json& bins) {
  report::Chart chart;
  chart.kind = report::ChartKind::kReliability;
  chart.title = title;
  chart.x_label = "predicted probability of buying the item";
  chart.y_label = "share that bought it";
  report::Series series{"observed, 95 % interval", {}, {}, {}};
  for (const auto& bin : bins) {
    chart.x.push_back(base::real_or(bin, "predicted"));
    series.y.push_back(base::real_or(bin, "observed"));
    series.low.push_back(base::real_or(bin, "low"));
    series.high.push_back(base::real_or(bin, "high"));
  }
  chart.series = {series};
  return chart;
}

// The network's own yes/no answers, calibrated before the period they are judged on.
static void add_heads(const base::Json& heads, const std::array<const char*, 3>& title_unit_note, report::Section& section) {
  using report::Align;
  report::Table table;
  table.title = title_unit_note[0];
  table.columns = {{"question", Align::kLeft}, {title_unit_note[1], Align::kRight}, {"yes", Align::kRight}, {"AUC", Align::kRight},
                   {"calibration error", Align::kRight}, {"log loss", Align::kRight}};
  for (const auto& head : heads) {
    const bool known = head.contains("bins");
    table.rows.push_back({base::string_or(head, "name"), count(base::int_or(head, "count")), count(base::int_or(head, "positives")),
                          known ? decimal(base::real_or(head, "auc"), "%.3f") : "too few",
                          known ? decimal(base::real_or(head, "expected_calibration_error"), "%.4f") : "–",
                          known ? decimal(base::real_or(head, "log_loss"), "%.4f") : "–"});
    if (known) {
      report::Chart chart = reliability_chart("Predicted and seen: " + base::string_or(head, "name"), head["bins"]);
      chart.x_label = "predicted probability";
      chart.y_label = "share that did";
      section.charts.push_back(chart);
    }
  }
  table.note = title_unit_note[2];
  section.tables.push_back(table);
}

// How clicks on messages are predicted, from the ledger alone; cross-fitted.
static void add_clicks(const base::Json& clicks, report::Section& section) {
  using report::Align;
  report::Table table;
  table.title = "Clicks on messages: " + base::string_or(clicks, "chosen") + " was chosen";
  table.columns = {{"learner", Align::kLeft}, {"messages", Align::kRight}, {"log loss", Align::kRight}, {"gain over the simpler one", Align::kRight},
                   {"95 % interval", Align::kRight}};
  for (const auto& row : clicks["learners"]) {
    const bool first = base::string_or(row, "name") == "rates";
    const auto text = [&](const char* key) { return decimal(base::real_or(row, key), "%+.5f"); };
    table.rows.push_back({base::string_or(row, "name"), count(base::int_or(row, "messages")), decimal(base::real_or(row, "log_loss"), "%.4f"),
                          first ? "–" : text("gain"), first ? "–" : text("gain_low") + " … " + text("gain_high")});
  }
  table.note = "Every message is predicted by a learner that has not seen its customer. Rates are shrunk through offer, category and how often the customer "
               "bought; linear and trees use what was known when the message left; the simplest that none beats is chosen.";
  section.tables.push_back(table);
  if (!clicks["bins"].empty()) {
    report::Chart chart = reliability_chart("Predicted and seen: clicks this message", clicks["bins"]);
    chart.x_label = "predicted probability";
    chart.y_label = "share that did";
    section.charts.push_back(chart);
  }
}

report::Section model_section(const base::Json& figures) {
  using report::Align;
  report::Section section;
  section.heading = "How well the model predicts";
  if (!figures.is_object() || !figures.contains("test")) {
    section.callouts.push_back({report::CalloutKind::kNotice, "No model was trained: scores come from own history and popularity."});
    return section;
  }
  const base::Json& test = figures["test"];
  section.paragraphs.push_back("Measured on events that neither training nor any choice saw: " + base::string_or(test, "protocol") + ".");
  report::Table table;
  table.title = "Ranking the whole catalogue";
  table.columns = {{"method", Align::kLeft}, {"NDCG@10", Align::kRight}, {"hit rate@10", Align::kRight}, {"customers", Align::kRight}};
  for (const auto& row : test["ranking"]) {
    table.rows.push_back({base::string_or(row, "name"), decimal(base::real_or(row, "ndcg10"), "%.4f"), percent(base::real_or(row, "hit10")),
                          count(base::int_or(row, "customers"))});
  }
  const base::Json& comparison = test["comparison"];
  table.note = "beckon " + base::string_or(comparison, "verdict") +
               (comparison.contains("gain_ndcg10") ? "; gain over the best floor " + decimal(base::real_or(comparison, "gain_ndcg10"), "%+.4f") + " (" +
                                                         decimal(base::real_or(comparison, "gain_low"), "%+.4f") + " … " +
                                                         decimal(base::real_or(comparison, "gain_high"), "%+.4f") + ")."
                                                   : ".");
  if (test.contains("fine_tuning") && figures.contains("start")) {
    const base::Json& tuning = test["fine_tuning"];
    table.note += " Learning the newest steps too, after the pre-training, changed NDCG@10 by " + decimal(base::real_or(tuning, "gain_ndcg10"), "%+.4f") + " (" +
                  decimal(base::real_or(tuning, "gain_low"), "%+.4f") + " … " + decimal(base::real_or(tuning, "gain_high"), "%+.4f") + ") and took " +
                  decimal(base::real_or(figures["start"], "fine_tuning_seconds"), "%.1f") + " s; the pre-training had taken " +
                  decimal(base::real_or(figures["start"], "pretraining_seconds"), "%.1f") + " s.";
  }
  section.tables = {table};
  report::Chart chart = reliability_chart("Predicted and bought", test["calibration"]["bins"]);
  chart.note = "Expected calibration error " + decimal(base::real_or(test["calibration"], "expected_calibration_error"), "%.4f") + ". On the diagonal 3 % means 3 of 100.";
  section.charts = {chart};
  if (test.contains("heads")) {
    add_heads(test["heads"], {"Yes/no answers of the network", "customers",
                              "One answer a customer, asked at the start of the test period; calibrated (Platt) on the period before it."}, section);
  }
  if (test.contains("candidate_heads")) {
    add_heads(test["candidate_heads"], {"Yes/no answers about an item or a message", "questions",
                                        "Attention from the item to the customer's history; candidates of everybody at the start of the test period, and the "
                                        "messages after it; calibrated (Platt) before it."}, section);
  }
  if (figures.contains("clicks") && base::int_or(figures["clicks"], "messages") > 0) {
    add_clicks(figures["clicks"], section);
  }
  return section;
}

report::Page campaign_page(const Context& context, const base::Json& json) {
  const std::string currency = base::string_or(json, "currency");
  const base::Json& totals = json["totals"];
  const std::int64_t sent = base::int_or(totals, "sent");
  report::Page page;
  page.title = context.config.shop.name + ": " + base::string_or(json, "campaign");
  page.subtitle = "Campaign period " + base::string_or(json, "period") + ", plan " + base::string_or(json, "plan") + ", as of " +
                  base::format_time(context.clock->now());
  page.language = "en";
  const base::Json interval = json["click_rate_interval"];
  page.figures = {{"Messages sent", count(sent), "of " + count(base::int_or(totals, "planned")) + " planned"},
                  {"Click-through", rate(base::int_or(totals, "clicked"), sent),
                   interval.size() == 2 ? percent(interval[0].get<double>()) + " … " + percent(interval[1].get<double>()) : ""},
                  {"Conversion", rate(base::int_or(totals, "converted"), sent), "bought within the window"},
                  {"Sales", amount(base::int_or(totals, "revenue_minor"), currency) + " " + currency, "of customers with a message"},
                  {"Participation", rate(base::int_or(json, "redeemed"), sent), count(base::int_or(json, "redeemed")) + " codes redeemed"},
                  {"Promotion cost", amount(base::int_or(totals, "promotion_minor"), currency) + " " + currency, "discounts redeemed and sending"}};
  report::Section lift;
  lift.heading = "What the campaign changed";
  lift.paragraphs = {"Compared by random assignment, never by who was sent: everybody assigned to the campaign against everybody held out, and those "
                     "chosen against those who would have been chosen (ghost picks). Grade: randomised."};
  if (base::real_or(json, "sample_ratio_p_value", 1) < 0.001) {
    lift.callouts.push_back({report::CalloutKind::kWarning, "The groups do not have the sizes that were asked for (sample ratio mismatch): do not trust the lift below."});
  }
  lift.charts = {lift_chart(json["lift"]["margin"], currency)};
  for (const auto& [metric, rows] : json["lift"].items()) {
    lift.tables.push_back(lift_table(metric, rows, currency));
  }
  report::Section slices;
  slices.heading = "What came back";
  slices.paragraphs = {"Counts, not effects: people who buy anyway are in them."};
  slices.tables = {slice_table("By offer", json["by_offer"], currency), slice_table("By channel", json["by_channel"], currency),
                   slice_table("By language", json["by_segment"], currency), slice_table("By day", json["by_day"], currency)};
  if (!json["not_sent"].empty()) {
    slices.tables.push_back(pairs_table("Not sent", json["not_sent"], "state and reason"));
  }
  page.sections = {verdict_section(json["judgement"], currency), lift, shop_section(json["shop"], currency), slices, money_section(json, currency), plan_section(json["plan_summary"], currency), model_section(json["model_figures"]),
                   assumptions_section(json)};
  page.footer = context.config.shop.data_notice;
  return page;
}

}  // namespace beckon::engine
