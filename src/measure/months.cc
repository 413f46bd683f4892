// Months, sums over them, and what a closed one said.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>

#include "beckon/measure/finance.h"

namespace beckon::measure {
namespace {

constexpr std::array<std::string_view, kColumns> kNames{
    "messages", "send_cost_micro", "text_cost_micro", "issued", "issued_face_minor", "issued_expected_micro", "redeemed",
    "redeemed_face_minor", "redeemed_minor", "redeemed_unstated_minor", "expired", "expired_face_minor", "ended_expected_micro",
    "unaddressed", "unaddressed_minor", "refunded_pieces", "refunded_minor", "refunded_discount_minor", "attributed_orders",
    "attributed_minor", "orders", "sales_minor", "order_discount_minor", "other_code_minor", "no_code_minor", "unpaired_refunds"};

const Rows& rows_of(const std::map<Month, Rows>& months, const Month& month) {
  static const Rows kNone;
  const auto found = months.find(month);
  return found == months.end() ? kNone : found->second;
}

// What all closed months together said about each month.
Books said(std::span<const Statement> closed) {
  Books out;
  for (const auto& statement : closed) {
    out.add(statement.month, statement.rows);
    for (const auto& [month, rows] : statement.corrections) {
      out.add(month, rows);
    }
  }
  return out;
}

base::Json key_json(const RowKey& key) {
  return {{"campaign", key.campaign}, {"offer", key.offer}, {"market", key.market}, {"currency", key.currency}};
}

RowKey key_from(const base::Json& json) {
  return {base::string_or(json, "campaign"), base::string_or(json, "offer"), base::string_or(json, "market"), base::string_or(json, "currency")};
}

void add_rows_json(const Rows& rows, const base::Json& head, base::Json& out) {
  for (const auto& [key, flows] : rows) {
    base::Json row = head;
    row.update(key_json(key));
    for (std::size_t c = 0; c < kColumns; ++c) {
      row[std::string(kNames[c])] = flows[c];
    }
    out.push_back(std::move(row));
  }
}

Flows flows_from(const base::Json& json) {
  Flows out{};
  for (std::size_t c = 0; c < kColumns; ++c) {
    out[c] = base::int_or(json, kNames[c]);
  }
  return out;
}

base::Json member(const base::Json& json, const char* name) {
  return json.is_object() && json.contains(name) && json[name].is_array() ? json[name] : base::Json::array();
}

}  // namespace

std::string_view to_text(Column column) { return kNames.at(static_cast<std::size_t>(column)); }

std::string Month::text() const {
  char out[16];
  std::snprintf(out, sizeof out, "%04d-%02d", year, month);
  return out;
}

base::Result<Month> parse_month(std::string_view text) {
  Month out;
  const char* const begin = text.data();
  const bool shaped = text.size() == 7 && text[4] == '-' && std::all_of(text.begin(), text.end(), [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
  const bool read = shaped && std::from_chars(begin, begin + 4, out.year).ptr == begin + 4 &&
                    std::from_chars(begin + 5, begin + 7, out.month).ptr == begin + 7;
  if (!read || out.year < 1970 || out.month < 1 || out.month > 12) {
    return base::invalid_argument("'" + std::string(text) + "' is no month: write it as 2026-03");
  }
  return out;
}

Month month_of(base::Instant at, const base::Zone& zone) {
  const base::LocalTime local = zone.to_local(at);
  return {local.year, local.month};
}

base::Instant begin_of(const Month& month, const base::Zone& zone) {
  base::LocalTime local;
  local.year = month.year;
  local.month = month.month;
  return zone.to_instant(local);
}

void Books::add(const Month& month, const RowKey& key, Column column, std::int64_t amount) {
  if (amount != 0) {
    std::int64_t& sum = months_[month].try_emplace(key, Flows{}).first->second[static_cast<std::size_t>(column)];
    too_large_ = __builtin_add_overflow(sum, amount, &sum) || too_large_;
  }
}

void Books::add(const Month& month, const Rows& rows, std::int64_t times) {
  for (const auto& [key, flows] : rows) {
    for (std::size_t c = 0; c < kColumns; ++c) {
      add(month, key, static_cast<Column>(c), flows[c] * times);
    }
  }
}

void Books::add(const Books& other) {
  for (const auto& [month, rows] : other.months_) {
    add(month, rows);
  }
  too_large_ = too_large_ || other.too_large_;
}

std::optional<Month> first_open(const Books& truth, std::span<const Statement> closed) {
  if (!closed.empty()) {
    return closed.back().month.next();
  }
  return truth.months().empty() ? std::nullopt : std::optional(truth.months().begin()->first);
}

Statement make_statement(const Books& truth, std::span<const Statement> closed, const Month& month) {
  BECKON_CHECK(closed.empty() || closed.back().month < month);
  Statement out;
  out.month = month;
  out.rows = rows_of(truth.months(), month);
  if (!closed.empty() && closed.back().month.next() == month) {
    Books late;
    for (const auto& [past, rows] : truth.months()) {
      if (past < month) {
        late.add(past, rows);
      }
    }
    const Books posted = said(closed);
    for (const auto& [past, rows] : posted.months()) {
      late.add(past, rows, -1);
    }
    for (const auto& [past, rows] : late.months()) {
      for (const auto& [key, flows] : rows) {
        if (flows != Flows{}) {
          out.corrections[past][key] = flows;
        }
      }
    }
  }
  for (const auto& [past, rows] : truth.months()) {
    for (const auto& [key, flows] : rows) {
      if (past <= month && at(flows, Column::kIssued) + at(flows, Column::kRedeemed) + at(flows, Column::kExpired) != 0) {
        Open& open = out.open[key];
        open.coupons += at(flows, Column::kIssued) - at(flows, Column::kRedeemed) - at(flows, Column::kExpired);
        open.face_minor += at(flows, Column::kIssuedFaceMinor) - at(flows, Column::kRedeemedFaceMinor) - at(flows, Column::kExpiredFaceMinor);
        open.expected_micro += at(flows, Column::kIssuedExpectedMicro) - at(flows, Column::kEndedExpectedMicro);
      }
    }
  }
  std::erase_if(out.open, [](const auto& entry) { return entry.second == Open{}; });
  return out;
}

std::map<std::string, Reconciliation> reconcile(const Rows& rows) {
  std::map<std::string, Reconciliation> out;
  for (const auto& [key, flows] : rows) {
    Reconciliation& sums = out[key.currency];
    sums.stated_minor += at(flows, Column::kOrderDiscountMinor);
    sums.redeemed_minor += at(flows, Column::kRedeemedMinor) - at(flows, Column::kRedeemedUnstatedMinor);
    sums.unaddressed_minor += at(flows, Column::kUnaddressedMinor);
    sums.other_code_minor += at(flows, Column::kOtherCodeMinor);
    sums.no_code_minor += at(flows, Column::kNoCodeMinor);
  }
  return out;
}

base::Json to_json(const Statement& statement) {
  base::Json out = {{"month", statement.month.text()}, {"rows", base::Json::array()}, {"corrections", base::Json::array()}, {"open", base::Json::array()}};
  add_rows_json(statement.rows, base::Json::object(), out["rows"]);
  for (const auto& [month, rows] : statement.corrections) {
    add_rows_json(rows, {{"of", month.text()}}, out["corrections"]);
  }
  for (const auto& [key, open] : statement.open) {
    base::Json row = key_json(key);
    row.update({{"coupons", open.coupons}, {"face_minor", open.face_minor}, {"expected_micro", open.expected_micro}});
    out["open"].push_back(std::move(row));
  }
  return out;
}

base::Result<Statement> statement_from_json(const base::Json& json) {
  Statement out;
  BECKON_TRY(out.month, parse_month(base::string_or(json, "month")));
  for (const auto& row : member(json, "rows")) {
    out.rows[key_from(row)] = flows_from(row);
  }
  for (const auto& row : member(json, "corrections")) {
    BECKON_TRY(const Month past, parse_month(base::string_or(row, "of")));
    out.corrections[past][key_from(row)] = flows_from(row);
  }
  for (const auto& row : member(json, "open")) {
    out.open[key_from(row)] = {base::int_or(row, "coupons"), base::int_or(row, "face_minor"), base::int_or(row, "expected_micro")};
  }
  return out;
}

base::Json to_json(const Books& books) {
  base::Json out = base::Json::object();
  for (const auto& [month, rows] : books.months()) {
    base::Json& list = out[month.text()] = base::Json::array();
    add_rows_json(rows, base::Json::object(), list);
  }
  return out;
}

base::Result<Books> books_from_json(const base::Json& json) {
  Books out;
  for (const auto& [text, rows] : json.items()) {
    BECKON_TRY(const Month month, parse_month(text));
    for (const auto& row : rows) {
      out.add(month, Rows{{key_from(row), flows_from(row)}});
    }
  }
  return out;
}

}  // namespace beckon::measure
