// beckon report --finance: a month as it stands, or as it was sealed.
#include <cmath>

#include "campaigns.h"
#include "finance.h"
#include "outcomes.h"
#include "terminal.h"

namespace beckon::engine {
namespace {

constexpr std::int64_t kCloseAfterMs = 2 * base::kDayMs;  // as long as escrow waits: what happened on the last days comes in late
constexpr std::int64_t kSealVersion = 1;
const std::string kClosedNotes = "finance|closed|";

// A month as it is kept: the document, and the page and table that were made of it.
struct Sealed {
  base::Json document;
  std::string html;
  std::string csv;
};

std::string seal(const Context& context, const Sealed& sealed) {
  const std::string body =
      base::to_line({{"version", kSealVersion}, {"document", sealed.document}, {"html", sealed.html}, {"csv", sealed.csv}}) + "\n";
  return body + base::to_line({{"seal", context.ring->seal_of(body)}});
}

base::Result<Sealed> open_seal(const Context& context, const std::string& name, const std::string& text) {
  const std::size_t end = text.find('\n') + 1;
  const auto seal_line = base::parse_json(std::string_view(text).substr(end));
  if (end == 0 || !seal_line.ok() || base::string_or(*seal_line, "seal") != context.ring->seal_of(text.substr(0, end))) {
    return base::data_loss("the closed month " + name + " was changed or damaged in the store: restore data/ from a backup");
  }
  BECKON_TRY(const auto json, base::parse_json(std::string_view(text).substr(0, end)));
  if (base::int_or(json, "version") != kSealVersion) {
    return base::data_loss("the closed month " + name + " was written by a newer beckon: update this one");
  }
  return Sealed{json["document"], base::string_or(json, "html"), base::string_or(json, "csv")};
}

struct Closed {
  std::vector<measure::Statement> statements;  ///< in order
  std::map<std::string, Sealed> sealed;        ///< by month
};

base::Result<Closed> closed_months(const Context& context) {
  Closed out;
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes(kClosedNotes));
  for (const auto& [name, text] : notes) {
    const std::string month = name.substr(kClosedNotes.size());
    BECKON_TRY(Sealed sealed, open_seal(context, month, text));
    BECKON_TRY(out.statements.emplace_back(), measure::statement_from_json(sealed.document));
    out.sealed.emplace(month, std::move(sealed));
  }
  return out;
}

base::Json reconciliation_json(const measure::Rows& rows) {
  base::Json out = base::Json::array();
  for (const auto& [currency, sums] : measure::reconcile(rows)) {
    out.push_back({{"currency", currency}, {"stated_minor", sums.stated_minor}, {"redeemed_minor", sums.redeemed_minor},
                   {"unaddressed_minor", sums.unaddressed_minor}, {"other_code_minor", sums.other_code_minor}, {"no_code_minor", sums.no_code_minor},
                   {"difference_minor", sums.difference_minor()}});
  }
  return out;
}

// What the whole campaign changed so far, by assignment; never split by month and never added to another campaign's.
base::Json measured_json(const std::vector<measure::Outcome>& outcomes, const measure::Layers& layers) {
  const measure::Lift lift = measure::audience_lift(outcomes, measure::Metric::kMargin);
  const bool balanced = measure::sample_ratio_p_value(outcomes, layers) >= 0.001;
  base::Json out = {{"grade", lift.known && balanced ? "randomised" : "not measured"}, {"customers", lift.treated_count}, {"held_out", lift.control_count}};
  if (!lift.known || !balanced) {
    out["reason"] = lift.known ? "the groups do not have the sizes that were asked for" : "too few customers, or nobody was held out";
    return out;
  }
  const auto whole = [&](double per_customer) { return std::llround(per_customer * static_cast<double>(lift.treated_count)); };
  out.update({{"margin_minor", whole(lift.difference)}, {"low_minor", whole(lift.low)}, {"high_minor", whole(lift.high)}});
  return out;
}

// What the plan expected of the messages it chose, by the grade of the estimates.
base::Json forecast_json(const std::vector<measure::Outcome>& outcomes) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> by_grade;  // messages, value
  for (const auto& outcome : outcomes) {
    const events::Decision& d = outcome.decision;
    if (d.chosen && !events::is_held_out(d.group)) {
      ++by_grade[d.grade].first;
      by_grade[d.grade].second += d.value_micro;
    }
  }
  base::Json out = base::Json::array();
  for (const auto& [grade, sums] : by_grade) {
    out.push_back({{"grade", grade}, {"messages", sums.first}, {"value_micro", sums.second}});
  }
  return out;
}

// Measured and forecast of every campaign period that can be read, by campaign.
base::Result<std::map<std::string, base::Json>> estimates(const Context& context) {
  std::map<std::string, base::Json> out;
  BECKON_TRY(const auto notes, store::Records(*context.rows).notes("plan|"));
  for (const auto& [name, note] : notes) {
    const auto planned = planned_of(context, note);
    if (!planned.ok() || planned->file.replay) {
      continue;  // shop_books() says which cannot be read
    }
    BECKON_TRY(const auto outcomes, outcomes_of(context, *planned));
    auto [found, added] = out.try_emplace(planned->file.campaign, base::Json::array());
    found->second.push_back({{"period", planned->file.period},
                             {"currency", std::string(context.config.shop.market(planned->campaign.market).currency.code())},
                             {"measured", measured_json(outcomes, planned->file.layers)},
                             {"forecast", forecast_json(outcomes)}});
  }
  return out;
}

// Three answers to three questions, side by side: they are of different kinds and have no sum.
base::Json campaigns_json(const measure::Statement& statement, const std::map<std::string, base::Json>& estimates) {
  std::map<std::string, std::map<std::string, std::pair<std::int64_t, std::int64_t>>> attributed;  // campaign → currency → orders, sales
  for (const auto& [key, flows] : statement.rows) {
    if (!key.campaign.empty()) {
      auto& [orders, sales_minor] = attributed[key.campaign][key.currency];
      orders += measure::at(flows, measure::Column::kAttributedOrders);
      sales_minor += measure::at(flows, measure::Column::kAttributedMinor);
    }
  }
  base::Json out = base::Json::array();
  for (const auto& [campaign, currencies] : attributed) {
    base::Json one = {{"campaign", campaign}, {"attributed", base::Json::array()}, {"periods", base::Json::array()}};
    for (const auto& [currency, sums] : currencies) {
      one["attributed"].push_back({{"currency", currency}, {"orders", sums.first}, {"sales_minor", sums.second}});
    }
    if (const auto found = estimates.find(campaign); found != estimates.end()) {
      one["periods"] = found->second;
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Everything a document is made of, once for all months that are made now.
struct Material {
  ShopBooks books;
  std::map<std::string, base::Json> estimates;
  base::Zone zone = base::Zone::utc();
  base::Instant now;
};

base::Result<Material> material(const Context& context) {
  Material out;
  out.zone = books_zone(context);
  out.now = context.clock->now();
  BECKON_TRY(out.books, shop_books(context));
  BECKON_TRY(out.estimates, estimates(context));
  return out;
}

base::Json document_of(const Material& material, const measure::Statement& statement, bool closing) {
  const base::Instant end = measure::begin_of(statement.month.next(), material.zone);
  base::Json out = measure::to_json(statement);
  out["zone"] = material.zone.name();
  out["state"] = closing ? "closed" : material.now < end ? "running" : "open";
  out["as_of"] = base::format_time(material.now);
  out["ended"] = base::format_time(end);
  if (closing) {
    out["closed_days_after_end"] = (material.now.ms - end.ms) / base::kDayMs;
  }
  out["reconciliation"] = reconciliation_json(statement.rows);
  out["campaigns"] = campaigns_json(statement, material.estimates);
  out["text_cost"] = "no text was written by a model";
  out["notes"] = material.books.notes;
  return out;
}

Sealed made(const Context& context, base::Json document) {
  Sealed out;
  out.html = report::to_html(finance_page(context.config.shop.name, document));
  out.csv = finance_csv(document);
  out.document = std::move(document);
  return out;
}

// Seals every open month up to `month`, all in one synced batch.
base::Status close_months(Context& context, const Material& material, const measure::Month& month, Closed& closed) {
  if (context.replay()) {
    return base::failed_precondition("a month is closed once and for all, not as of another time: leave --as-of out");
  }
  const base::Instant from = measure::begin_of(month.next(), material.zone).plus_ms(kCloseAfterMs);
  if (material.now < from) {
    return base::failed_precondition(month.text() + " can be closed from " + base::format_time(from) +
                                     " on: two days after its end, because what happened on its last days comes in late");
  }
  auto next = measure::first_open(material.books.books, closed.statements);
  if (!next.has_value() || month < *next) {
    return base::failed_precondition("nothing happened in or before " + month.text() + ": there is nothing to close");
  }
  store::WriteBatch changes;
  for (; *next <= month; next = next->next()) {
    const auto statement = measure::make_statement(material.books.books, closed.statements, *next);
    Sealed sealed = made(context, document_of(material, statement, true));
    store::Records::put_note(kClosedNotes + next->text(), seal(context, sealed), changes);
    closed.sealed.emplace(next->text(), std::move(sealed));
    closed.statements.push_back(statement);
  }
  return context.rows->write(changes);
}

base::Result<Sealed> month_as_it_is(Context& context, const FinanceRequest& request, const measure::Month& month) {
  BECKON_TRY(Closed closed, closed_months(context));
  if (const auto found = closed.sealed.find(month.text()); found != closed.sealed.end()) {
    return found->second;
  }
  if (!closed.statements.empty() && month < closed.statements.front().month) {
    return base::not_found("the books begin with " + closed.statements.front().month.text() + "; what became known later of " + month.text() +
                           " stands among the corrections");
  }
  BECKON_TRY(const Material all, material(context));
  if (all.now < measure::begin_of(month, all.zone)) {
    return base::invalid_argument(month.text() + " has not begun");
  }
  if (request.close) {
    BECKON_TRY_STATUS(close_months(context, all, month, closed));
    return closed.sealed.at(month.text());
  }
  return made(context, document_of(all, measure::make_statement(all.books.books, closed.statements, month), false));
}

}  // namespace

base::Result<base::Json> finance(Context& context, const FinanceRequest& request) {
  BECKON_TRY(const measure::Month month, measure::parse_month(request.month));
  BECKON_TRY(const Sealed sealed, month_as_it_is(context, request, month));
  const std::string path = request.html_path.empty() ? context.path("reports/finance-" + month.text() + ".html") : request.html_path;
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("reports")));
  BECKON_TRY_STATUS(context.files->write_atomic(path, sealed.html));
  base::Json out = {{"finance", sealed.document}, {"html", path}};
  std::string text = report::to_terminal(finance_page(context.config.shop.name, sealed.document), this_terminal()) + "\nPage: " + path + "\n";
  if (!request.csv_path.empty()) {
    BECKON_TRY_STATUS(context.files->write_atomic(request.csv_path, sealed.csv));
    out["csv"] = request.csv_path;
    text += "Table: " + request.csv_path + "\n";
  }
  out["text"] = text;
  out["exit"] = 0;
  return out;
}

}  // namespace beckon::engine
