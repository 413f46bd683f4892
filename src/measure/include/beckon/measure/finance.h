#pragma once
// The books of a month: what was promised, what of it was used, ran out or is still open, what it cost, which orders answered it, and the
// discounts of all ingested orders down to the minor unit. Pure arithmetic over records; functions are thread-safe, a Books is not while
// it is added to.
//
// Books are flows: each amount stands in the month (of the shop's calendar) in which it happened, whenever it became known. Flows add up
// over customers and months, so a closed month needs only what it said: later truth less what was said is its correction.

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/json.h"
#include "beckon/events/events.h"

namespace beckon::measure {

/// A month of the shop's calendar.
struct Month {
  int year = 1970;
  int month = 1;  ///< 1–12
  friend auto operator<=>(const Month&, const Month&) = default;
  Month next() const { return month == 12 ? Month{year + 1, 1} : Month{year, month + 1}; }
  std::string text() const;  ///< "2026-03"
};
/// "2026-03"; invalid_argument for anything else.
base::Result<Month> parse_month(std::string_view text);
Month month_of(base::Instant at, const base::Zone& zone);
/// Its first moment in the zone.
base::Instant begin_of(const Month& month, const base::Zone& zone);

/// `_minor`: minor units; `_micro`: millionths of a minor unit, so that costs below one add up without rounding; else counts.
enum class Column : std::size_t {
  kMessages,              ///< handed over, with or without an offer in them
  kSendCostMicro,
  kTextCostMicro,         ///< of texts that a model wrote
  kIssued,                ///< coupons in those messages
  kIssuedFaceMinor,       ///< at worst
  kIssuedExpectedMicro,   ///< as the plan expected
  kRedeemed,              ///< of the issued: used in an order while they were valid
  kRedeemedFaceMinor,     ///< what those had been issued at
  kRedeemedMinor,         ///< discounts of the orders that used them
  kRedeemedUnstatedMinor, ///< the part of it that the orders did not state: the offer's face
  kExpired,               ///< of the issued: ran out unused
  kExpiredFaceMinor,
  kEndedExpectedMicro,    ///< expected cost of what was redeemed or expired
  kUnaddressed,           ///< order lines with the campaign's code by whom it was not issued to, or when it was not valid
  kUnaddressedMinor,
  kRefundedPieces,        ///< of attributed orders (of the others in the shop's own row)
  kRefundedMinor,         ///< paid back for them
  kRefundedDiscountMinor, ///< discounts on returned pieces, in the row that gave them
  kAttributedOrders,
  kAttributedMinor,       ///< what those orders paid; returns are not taken off it, they have their own column and month
  kOrders,                ///< from here on only in the shop's own row
  kSalesMinor,
  kOrderDiscountMinor,    ///< all discounts that orders stated
  kOtherCodeMinor,        ///< of these: with a code of no campaign
  kNoCodeMinor,           ///< of these: without a code
  kUnpairedRefunds,       ///< refunds of which no purchase was found
  kCount
};
constexpr std::size_t kColumns = static_cast<std::size_t>(Column::kCount);
/// "redeemed_minor"
std::string_view to_text(Column column);

using Flows = std::array<std::int64_t, kColumns>;
inline std::int64_t at(const Flows& flows, Column column) { return flows[static_cast<std::size_t>(column)]; }

/// Currencies are never added to one another. The shop's own row (orders, discounts of no campaign) has no campaign and no offer.
/// `currency` empty: the order named none.
struct RowKey {
  std::string campaign, offer, market, currency;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};
using Rows = std::map<RowKey, Flows>;

class Books {
 public:
  /// Sums that do not fit are not wrapped: too_large() is true from then on.
  void add(const Month& month, const RowKey& key, Column column, std::int64_t amount);
  void add(const Month& month, const Rows& rows, std::int64_t times = 1);
  void add(const Books& other);
  const std::map<Month, Rows>& months() const { return months_; }
  bool too_large() const { return too_large_; }
  void set_too_large() { too_large_ = true; }

 private:
  std::map<Month, Rows> months_;
  bool too_large_ = false;
};

/// A message that was handed over, and the offer in it.
struct Promise {
  std::string delivery;          ///< id
  std::string campaign, offer, market, currency, item, code;
  base::Instant issued_at;       ///< the claim: from then on money is held for it
  base::Instant valid_until;     ///< of the offer
  base::Instant attributed_until;  ///< end of the campaign's window
  std::int64_t face_minor = 0;   ///< at worst; 0: no discount, nothing is issued
  std::int64_t expected_micro = 0;
  std::int64_t send_cost_micro = 0;
  std::int64_t text_cost_micro = 0;
};

/// A code that a campaign printed, whoever got it. One code in several campaigns: the one that began last before the order.
struct CampaignCode {
  std::string code, campaign, offer, market;
  base::Instant from;
};

struct BooksOptions {
  base::Zone zone = base::Zone::utc();  ///< of the months
  base::Instant as_of;                  ///< later events are not seen; an offer that ends later is still open
  std::string market;                   ///< of orders that name none
  std::vector<CampaignCode> codes;
};

/// Adds one person: his events by time (purchases, refunds, clicks), and the messages he got from all campaigns.
///
/// Redeemed: the first order with the coupon's code after its issue and while it is valid (a coupon without a code: the promoted item
/// bought in the campaign's context). The discount is what the line states; where it states none, the coupon's face for the promoted
/// item, once: also where the price paid shows it already, as it is the offer that took it off.
///
/// Attributed: each order once over all campaigns: to the message whose valid code it carries, else whose context (delivery or campaign) it
/// names, else that was clicked before, the last two inside the campaign's window. Among equals the last touch: the later click, or issue.
void add_person(std::span<const events::Event> window, std::span<const Promise> promises, const BooksOptions& options, Books& books);

/// What is still open, at the end of a month.
struct Open {
  std::int64_t coupons = 0;
  std::int64_t face_minor = 0;
  std::int64_t expected_micro = 0;
  friend bool operator==(const Open&, const Open&) = default;
};

/// What a month says. Once closed it is kept and never made again.
struct Statement {
  Month month;
  Rows rows;                          ///< what happened in it
  std::map<Month, Rows> corrections;  ///< of earlier, closed months: what became known after their closing
  std::map<RowKey, Open> open;        ///< at its end
  friend bool operator==(const Statement&, const Statement&) = default;
};

/// `closed`: in order, without gaps; `month` lies after the last of them. The first open month carries the corrections of all closed ones,
/// so that what all months say adds up to what is true.
Statement make_statement(const Books& truth, std::span<const Statement> closed, const Month& month);
/// Months are closed one after the other: the one after the last closed, else the first in which anything happened.
std::optional<Month> first_open(const Books& truth, std::span<const Statement> closed);

/// Discounts of the ingested orders in one currency: stated = by our coupons + our codes unaddressed + other codes + without a code.
struct Reconciliation {
  std::int64_t stated_minor = 0;
  std::int64_t redeemed_minor = 0;  ///< without the part that the orders did not state
  std::int64_t unaddressed_minor = 0;
  std::int64_t other_code_minor = 0;
  std::int64_t no_code_minor = 0;
  std::int64_t difference_minor() const { return stated_minor - redeemed_minor - unaddressed_minor - other_code_minor - no_code_minor; }
};
/// By currency.
std::map<std::string, Reconciliation> reconcile(const Rows& rows);

/// {"month", "rows": […], "corrections": [{"of", …}], "open": […]}
base::Json to_json(const Statement& statement);
base::Result<Statement> statement_from_json(const base::Json& json);
/// {"2026-03": [rows]}
base::Json to_json(const Books& books);
base::Result<Books> books_from_json(const base::Json& json);

}  // namespace beckon::measure
