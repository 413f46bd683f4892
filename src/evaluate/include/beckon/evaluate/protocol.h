#pragma once
// Which part of the histories is learned from, which is chosen on, which is measured.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/filesystem.h"
#include "beckon/base/result.h"
#include "beckon/features/item_text.h"

namespace beckon::evaluate {

enum class Protocol {
  kLeaveOneOut,  ///< the last step of each customer is the test, the last but one the validation
  kTimeSplit,    ///< one cut for everybody; his last step after it is the test, its history all that he did before
  kNextBasket,   ///< one cut for everybody; the items of his first order after it are the test, the history ends at the cut
};
std::string_view to_text(Protocol protocol);
base::Result<Protocol> parse_protocol(std::string_view text);

/// What there is to evaluate on. Tokens number the items in any order: `split` renumbers them.
struct Data {
  features::Dataset set;
  bool timed = false;  ///< steps carry their time, kind, price and channel; else only their order
  features::ItemTexts texts;  ///< of timed data
};

/// One question: what does he want next, given the first `seen` steps?
struct Case {
  const features::History* history = nullptr;
  std::size_t seen = 0;
  std::vector<std::int32_t> wanted;  ///< ascending, without repeats; 0: an item that no training saw, never found
};

struct SplitOptions {
  Protocol protocol = Protocol::kLeaveOneOut;
  std::optional<base::Instant> split_at;  ///< default: the 0.9 quantile of the steps' times, rounded down to the day
  bool filter_seen = false;               ///< what the customer did before is no answer: wanted tokens that he met leave the case
};

/// Cases point into `data.set`, which must stay where it is.
struct Split {
  base::Instant validation_at;              ///< time splits: trained before it
  base::Instant test_at;                    ///< time splits: chosen before it, measured from it on
  std::vector<std::size_t> train_until;     ///< per history: steps that the network learns from
  std::vector<std::size_t> known_until;     ///< per history: steps that the floors may count
  std::vector<Case> validation;
  std::vector<Case> test;
  std::int64_t repeats_left_out = 0;        ///< test customers without a case because he had met all that he wanted
  std::int64_t too_short = 0;               ///< histories without a test case for lack of steps
  std::int64_t unknown_targets = 0;         ///< wanted test items that neither training nor validation saw: counted as missed
};

/// Cuts the histories and gives the items new tokens: by frequency before the test part, ties by name; items that only the test
/// knows become 0. Nothing but `test` depends on what the test part holds. failed_precondition when nobody can be tested.
base::Result<Split> split(Data& data, const SplitOptions& options);

/// For other programs, so that they can be asked the same questions: FOLDER/history.csv (customer, item, at_ms; what may be known, oldest
/// first) and FOLDER/test.csv (customer, item; every wanted item, an empty one where no training could know it). Customers are
/// numbers.
base::Status write_split(const Data& data, const Split& cut, base::FileSystem& files, const std::string& folder);

}  // namespace beckon::evaluate
