#pragma once
// Private to events: what a line of an order says it was reduced by, the same for every form.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beckon/events/parse.h"

namespace beckon::events {

/// What was taken off, written with either sign; absent when the text is empty: the line does not say.
std::optional<Reject> read_discount(const std::string& text, const base::Currency& currency, std::optional<std::int64_t>& out_minor);

/// An order's discount is its lines' together: what they do not state themselves is spread over those in its currency by what they cost,
/// to the last minor unit. Lines that state more than the order stand as they are.
std::optional<Reject> share_discount(std::int64_t total_minor, const base::Currency& currency, std::vector<LineItem>& lines);

}  // namespace beckon::events
