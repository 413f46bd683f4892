#include <algorithm>
#include <array>

#include "beckon/events/parse.h"

namespace beckon::events {
namespace {

struct NamedType {
  std::string_view name;
  EventType type;
};
// Segment's e-commerce, push and e-mail specs (v2 and the v1 aliases), GA4's recommended events, and our own record names.
constexpr std::array<NamedType, 56> kTypes{{
    {"product_viewed", EventType::kView}, {"viewed_product", EventType::kView}, {"product_clicked", EventType::kView},
    {"view_item", EventType::kView}, {"select_item", EventType::kView}, {"view", EventType::kView},
    {"product_added", EventType::kCart}, {"added_product", EventType::kCart}, {"add_to_cart", EventType::kCart},
    {"cart", EventType::kCart}, {"product_removed", EventType::kUncart}, {"removed_product", EventType::kUncart},
    {"remove_from_cart", EventType::kUncart}, {"order_completed", EventType::kPurchase},
    {"completed_order", EventType::kPurchase}, {"purchase", EventType::kPurchase}, {"order_refunded", EventType::kRefund},
    {"order_cancelled", EventType::kRefund}, {"refund", EventType::kRefund}, {"products_searched", EventType::kSearch},
    {"search", EventType::kSearch}, {"view_search_results", EventType::kSearch},
    {"product_added_to_wishlist", EventType::kWishlist}, {"add_to_wishlist", EventType::kWishlist},
    {"wishlist", EventType::kWishlist}, {"page", EventType::kVisit}, {"screen", EventType::kVisit},
    {"page_view", EventType::kVisit}, {"screen_view", EventType::kVisit}, {"session_start", EventType::kVisit},
    {"visit", EventType::kVisit}, {"promotion_viewed", EventType::kImpression}, {"viewed_promotion", EventType::kImpression},
    {"view_promotion", EventType::kImpression}, {"promotion_clicked", EventType::kClick},
    {"clicked_promotion", EventType::kClick}, {"select_promotion", EventType::kClick},
    {"push_notification_received", EventType::kDelivered}, {"push_notification_tapped", EventType::kClick},
    {"push_notification_bounced", EventType::kBounce}, {"email_delivered", EventType::kDelivered},
    {"email_opened", EventType::kOpen}, {"email_link_clicked", EventType::kClick}, {"email_bounced", EventType::kBounce},
    {"email_marked_as_spam", EventType::kComplaint}, {"unsubscribed", EventType::kUnsubscribe},
    {"unsubscribe", EventType::kUnsubscribe}, {"consent_granted", EventType::kConsent},
    {"consent_updated", EventType::kConsent}, {"consent_withdrawn", EventType::kConsent},
    {"consent_revoked", EventType::kConsent}, {"coupon_redeemed", EventType::kRedeem}, {"redeem", EventType::kRedeem},
    {"coupon_applied", EventType::kRedeem}, {"identify", EventType::kIdentify}, {"alias", EventType::kAlias},
}};

}  // namespace

std::optional<EventType> event_type_of(std::string_view name) {
  std::string folded;
  for (const char c : name.substr(0, 80)) {
    const bool upper = c >= 'A' && c <= 'Z';
    folded.push_back(upper ? static_cast<char>(c - 'A' + 'a') : (c == ' ' || c == '-') ? '_' : c);
  }
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const NamedType& t) { return t.name == folded; });
  return found == kTypes.end() ? std::nullopt : std::optional(found->type);
}

}  // namespace beckon::events
