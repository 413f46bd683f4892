// A month's document → page and CSV.
#include <algorithm>
#include <array>
#include <functional>

#include "beckon/base/csv.h"
#include "finance.h"
#include "pages.h"

namespace beckon::engine {
namespace {

using report::Align;

constexpr std::array<const char*, 4> kKeys{"campaign", "offer", "market", "currency"};

std::string count(const base::Json& row, const char* name) { return base::with_thousands(base::int_or(row, name)); }

std::string money(const base::Json& row, const char* name) { return amount(base::int_or(row, name), base::string_or(row, "currency")); }

// Millionths of a minor unit, rounded for the eye; JSON and CSV hold them whole.
std::string micro(const base::Json& row, const char* name) {
  const auto minor = base::multiply_divide(base::int_or(row, name), 1, 1'000'000, base::Rounding::kHalfEven);
  return amount(minor.value_or(0), base::string_or(row, "currency"));
}

std::string currency_name(const base::Json& row) {
  const std::string code = base::string_or(row, "currency");
  return code.empty() ? "not stated" : code;
}

bool is_shop(const base::Json& row) { return base::string_or(row, "campaign").empty(); }

bool same_key(const base::Json& a, const base::Json& b) {
  return std::all_of(kKeys.begin(), kKeys.end(), [&](const char* name) { return base::string_or(a, name) == base::string_or(b, name); });
}

// What is open of a row's coupons; also of those with nothing else in this month.
base::Json open_of(const base::Json& document, const base::Json& row) {
  for (const auto& open : document["open"]) {
    if (same_key(open, row)) {
      return open;
    }
  }
  return base::Json::object();
}

base::Json rows_with_open(const base::Json& document) {
  base::Json out = base::Json::array();
  for (const auto& row : document["rows"]) {
    if (!is_shop(row)) {
      out.push_back(row);
    }
  }
  for (const auto& open : document["open"]) {
    if (std::none_of(out.begin(), out.end(), [&](const auto& row) { return same_key(row, open); })) {
      out.push_back({{"campaign", open["campaign"]}, {"offer", open["offer"]}, {"market", open["market"]}, {"currency", open["currency"]}});
    }
  }
  return out;
}

// A table with a row for each campaign's offer, and the columns that `cells` makes of it.
using Cells = std::function<std::vector<std::string>(const base::Json& row)>;
report::Table by_offer(const std::string& title, const std::vector<std::string>& names, const base::Json& rows, const Cells& cells) {
  report::Table table;
  table.title = title;
  table.columns = {{"campaign"}, {"offer"}, {"market"}};
  for (const auto& name : names) {
    table.columns.push_back({name, Align::kRight});
  }
  for (const auto& row : rows) {
    std::vector<std::string> line{base::string_or(row, "campaign"), base::string_or(row, "offer"), base::string_or(row, "market") + ", " + currency_name(row)};
    const auto rest = cells(row);
    line.insert(line.end(), rest.begin(), rest.end());
    table.rows.push_back(std::move(line));
  }
  return table;
}

report::Section coupons_section(const base::Json& document) {
  report::Section section;
  section.heading = "Coupons";
  section.paragraphs = {"Issued when the message was claimed; redeemed by an order with the code while it was valid; expired when it ran out unused; open at "
                        "the end of the month. Unaddressed: the code in orders of people it was not issued to, or when it was not valid."};
  const base::Json rows = rows_with_open(document);
  section.tables.push_back(by_offer("How many", {"issued", "redeemed", "expired", "open", "unaddressed"}, rows, [&](const base::Json& row) {
    return std::vector{count(row, "issued"), count(row, "redeemed"), count(row, "expired"), count(open_of(document, row), "coupons"), count(row, "unaddressed")};
  }));
  section.tables.push_back(by_offer("Discounts", {"redeemed", "of it not stated", "unaddressed", "given back"}, rows, [](const base::Json& row) {
    return std::vector{money(row, "redeemed_minor"), money(row, "redeemed_unstated_minor"), money(row, "unaddressed_minor"), money(row, "refunded_discount_minor")};
  }));
  section.tables.back().note = "Redeemed: what the orders state. Where an order states no discount, the coupon's face for the promoted item, once; that part is "
                               "not stated. Given back: on returned pieces. Currencies are never added to one another.";
  section.tables.push_back(by_offer("What the coupons stand for", {"issued", "redeemed", "expired", "open", "open, as expected"}, rows, [&](const base::Json& row) {
    base::Json open = open_of(document, row);
    open["currency"] = row["currency"];
    return std::vector{money(row, "issued_face_minor"), money(row, "redeemed_face_minor"), money(row, "expired_face_minor"), money(open, "face_minor"), micro(open, "expected_micro")};
  }));
  section.tables.back().note = "At worst: every coupon used once, on its item. As expected: by the plan. Discounts above may differ: orders hold more pieces, "
                               "and other items.";
  return section;
}

report::Section discounts_section(const base::Json& document) {
  report::Section section;
  section.heading = "Discounts of the orders, to the minor unit";
  report::Table table;
  table.columns = {{"currency"}, {"stated by orders", Align::kRight}, {"our coupons", Align::kRight}, {"our codes, unaddressed", Align::kRight},
                   {"other codes", Align::kRight}, {"without a code", Align::kRight}, {"unexplained", Align::kRight}};
  for (const auto& row : document["reconciliation"]) {
    table.rows.push_back({currency_name(row), money(row, "stated_minor"), money(row, "redeemed_minor"), money(row, "unaddressed_minor"),
                          money(row, "other_code_minor"), money(row, "no_code_minor"), money(row, "difference_minor")});
    if (base::int_or(row, "difference_minor") != 0) {
      section.callouts.push_back({report::CalloutKind::kWarning, "The discounts in " + currency_name(row) + " do not add up: this is a fault of beckon, report it."});
    }
  }
  table.note = "Our coupons: redeemed, without the part that orders did not state.";
  section.tables = {table};
  return section;
}

report::Section orders_section(const base::Json& document) {
  report::Section section;
  section.heading = "Messages, orders and returns";
  base::Json campaigns = base::Json::array();
  report::Table shop;
  shop.title = "The whole shop";
  shop.columns = {{"market"}, {"orders", Align::kRight}, {"sales", Align::kRight}, {"paid back, of no campaign", Align::kRight},
                  {"refunds of unknown orders", Align::kRight}};
  for (const auto& row : document["rows"]) {
    if (is_shop(row)) {
      shop.rows.push_back({base::string_or(row, "market") + ", " + currency_name(row), count(row, "orders"), money(row, "sales_minor"),
                           money(row, "refunded_minor"), count(row, "unpaired_refunds")});
    } else {
      campaigns.push_back(row);
    }
  }
  section.tables.push_back(by_offer("What was sent", {"messages", "sending", "text by a model"}, campaigns, [](const base::Json& row) {
    return std::vector{count(row, "messages"), micro(row, "send_cost_micro"), micro(row, "text_cost_micro")};
  }));
  section.tables.back().note = "Text by a model: " + base::string_or(document, "text_cost") + ".";
  section.tables.push_back(by_offer("What answered", {"orders", "attributed sales", "returned pieces", "paid back"}, campaigns, [](const base::Json& row) {
    return std::vector{count(row, "attributed_orders"), money(row, "attributed_minor"), count(row, "refunded_pieces"), money(row, "refunded_minor")};
  }));
  section.tables.back().note = "Each order belongs to one campaign: to the valid code it carries, else to the context it names, else to the last click before it. "
                               "Returns stand in the month in which they came back.";
  section.tables.push_back(shop);
  return section;
}

// Attributed, measured and forecast stand in three lines and have no sum.
report::Section answers_section(const base::Json& document) {
  report::Section section;
  section.heading = "Three answers to three questions";
  section.paragraphs = {"Attributed sales answered a message, this month; they say nothing about what would have been bought anyway. What is measured is measured by "
                        "random assignment, over the whole campaign so far, discounts and sending paid. The forecast is what the plan expected. The lines are of different kinds: they are never "
                        "added, and what campaigns changed is never added over campaigns."};
  report::Table table;
  table.columns = {{"campaign"}, {"line"}, {"amount", Align::kRight}, {"95 % interval", Align::kRight}, {"grade"}, {"about"}};
  for (const auto& one : document["campaigns"]) {
    const std::string campaign = base::string_or(one, "campaign");
    for (const auto& row : one["attributed"]) {
      table.rows.push_back({campaign, "attributed sales", money(row, "sales_minor") + " " + currency_name(row), "", "counted",
                            count(row, "orders") + " orders of the month"});
    }
    for (const auto& period : one["periods"]) {
      const std::string currency = base::string_or(period, "currency");
      const std::string name = "period " + base::string_or(period, "period");
      const base::Json& measured = period["measured"];
      const bool known = measured.contains("margin_minor");
      const auto in_currency = [&](const char* member) { return amount(base::int_or(measured, member), currency); };
      table.rows.push_back({campaign, known ? "measured incremental margin" : "measured",
                            known ? in_currency("margin_minor") + " " + currency : "–",
                            known ? in_currency("low_minor") + " … " + in_currency("high_minor") : "–", base::string_or(measured, "grade"), name + ", " + count(measured, "customers") + " against " + count(measured, "held_out") + " held out" +
                                (known ? "" : ": " + base::string_or(measured, "reason"))});
      for (const auto& forecast : period["forecast"]) {
        base::Json row = forecast;
        row["currency"] = currency;
        table.rows.push_back({campaign, "forecast of the plan", micro(row, "value_micro") + " " + currency, "", base::string_or(forecast, "grade"),
                              name + ", " + count(forecast, "messages") + " messages chosen"});
      }
    }
  }
  section.tables = {table};
  return section;
}

report::Section corrections_section(const base::Json& document) {
  report::Section section;
  section.heading = "Corrections of closed months";
  report::Table table;
  table.columns = {{"of"}, {"campaign"}, {"offer"}, {"market"}, {"what"}, {"change", Align::kRight}};
  for (const auto& row : document["corrections"]) {
    for (std::size_t c = 0; c < measure::kColumns; ++c) {
      const std::string name(measure::to_text(static_cast<measure::Column>(c)));
      if (base::int_or(row, name) == 0) {
        continue;
      }
      const bool minor = name.ends_with("_minor");
      const bool millionths = name.ends_with("_micro");
      std::string what = minor || millionths ? name.substr(0, name.rfind('_')) + ", amount" : name;
      std::replace(what.begin(), what.end(), '_', ' ');
      table.rows.push_back({base::string_or(row, "of"), is_shop(row) ? "the whole shop" : base::string_or(row, "campaign"), base::string_or(row, "offer"),
                            base::string_or(row, "market") + ", " + currency_name(row), what,
                            minor ? money(row, name.c_str()) : millionths ? micro(row, name.c_str()) : count(row, name.c_str())});
    }
  }
  table.note = "What became known after a month was closed. The closed month itself never changes: all months with their corrections add up to what is true.";
  section.tables = {table};
  return section;
}

report::Callout state_callout(const base::Json& document) {
  const std::string state = base::string_or(document, "state");
  if (state == "closed") {
    return {report::CalloutKind::kNotice, "Closed " + std::to_string(base::int_or(document, "closed_days_after_end")) + " days after its end, on " +
                                              base::string_or(document, "as_of") + ". It is shown as it was sealed and never changes."};
  }
  return {report::CalloutKind::kWarning, state == "running" ? "The month is not over: everything here can still change."
                                                            : "The month is over but not closed: what comes in late still changes it."};
}

}  // namespace

report::Page finance_page(const std::string& shop_name, const base::Json& document) {
  report::Page page;
  page.title = shop_name + ": books of " + base::string_or(document, "month");
  page.subtitle = "Month of the zone " + base::string_or(document, "zone") + ", as of " + base::string_or(document, "as_of");
  report::Section first = coupons_section(document);
  first.callouts.push_back(state_callout(document));
  for (const auto& note : document["notes"]) {
    first.callouts.push_back({report::CalloutKind::kWarning, note.get<std::string>()});
  }
  page.sections = {first, discounts_section(document), orders_section(document), answers_section(document)};
  if (!document["corrections"].empty()) {
    page.sections.insert(page.sections.begin() + 1, corrections_section(document));
  }
  return page;
}

std::string finance_csv(const base::Json& document) {
  std::vector<std::string> header{"month", "line", "of", "campaign", "offer", "market", "currency"};
  for (std::size_t c = 0; c < measure::kColumns; ++c) {
    header.emplace_back(measure::to_text(static_cast<measure::Column>(c)));
  }
  header.insert(header.end(), {"open_coupons", "open_face_minor", "open_expected_micro"});
  std::string out = base::csv_line(header);
  const auto line = [&](const char* kind, const base::Json& row, const std::vector<std::string>& open) {
    std::vector<std::string> cells{base::string_or(document, "month"), kind, base::string_or(row, "of", base::string_or(document, "month"))};
    for (const char* name : kKeys) {
      cells.push_back(base::string_or(row, name));
    }
    for (std::size_t c = 0; c < measure::kColumns; ++c) {
      const std::string name(measure::to_text(static_cast<measure::Column>(c)));
      cells.push_back(row.contains(name) ? std::to_string(base::int_or(row, name)) : "");
    }
    cells.insert(cells.end(), open.begin(), open.end());
    out += base::csv_line(cells);
  };
  for (const auto& row : document["rows"]) {
    line("month", row, {"", "", ""});
  }
  for (const auto& row : document["corrections"]) {
    line("correction", row, {"", "", ""});
  }
  for (const auto& row : document["open"]) {
    line("open", row, {std::to_string(base::int_or(row, "coupons")), std::to_string(base::int_or(row, "face_minor")),
                       std::to_string(base::int_or(row, "expected_micro"))});
  }
  return out;
}

}  // namespace beckon::engine
