#include <algorithm>
#include <cstring>
#include <future>
#include <unordered_set>

#include "beckon/events/clean.h"
#include "ingest.h"
#include "people_changes.h"

namespace beckon::engine {
namespace {

constexpr std::size_t kScanInstead = 5000;

struct Totals {
  std::int64_t read = 0;
  std::int64_t accepted = 0;
  std::int64_t duplicates = 0;
  std::int64_t rejected = 0;
  std::map<std::string, std::int64_t> rejected_by_reason;
  std::map<std::string, std::int64_t> flagged;
  std::int64_t refunds_paired = 0;
  std::int64_t refunds_unpaired = 0;
  std::int64_t unknown_items = 0;
  std::int64_t clock_corrected = 0;
  std::int64_t new_customers = 0;
};

// --as-of hides later events from those who learn and plan; a file may hold them all the same, for the report to compare with.
base::Instant latest_now(const Context& context) { return std::max(context.clock->now(), base::SystemClock().now()); }

// Takes blocks of one file from bytes to acknowledged events.
class FileIngest {
 public:
  FileIngest(Context& context, std::string file, Totals& totals, std::unordered_set<privacy::Pseudonym>& touched)
      : context_(context), file_(std::move(file)), totals_(totals), touched_(touched), people_(context),
        occurrences_(context.path("data/scratch")) {}

  base::Status run() {
    BECKON_TRY(auto source, table::LineSource::open(file_));
    BECKON_TRY_STATUS(people_.load());
    base::Progress progress({"ingest " + file_.substr(file_.rfind('/') + 1), "bytes", source->bytes_total(), context_.progress()},
                            *context_.clock);
    const bool csv = source->first_char() != '{';
    const char delimiter = csv ? context_.config.csv.delimiter : '\0';
    auto read = source->next(delimiter);
    if (!read.ok()) {
      return read.error().at(file_);
    }
    table::Block first = std::move(read).value();
    if (first.lines.empty()) {
      return base::ok_status();
    }
    BECKON_TRY_STATUS(make_parsers(csv, first));
    base::Status outcome = base::ok_status();
    std::vector<table::Block> round;
    round.push_back(std::move(first));
    std::future<base::Status> committing;
    while (!round.empty() && !context_.stop) {
      std::vector<ParsedBlock> parsed(round.size());
      context_.executor->run(round.size(), [&](std::size_t i) { parsed[i] = parsers_[i]->parse(round[i]); });
      if (committing.valid()) {
        BECKON_TRY_STATUS(committing.get());
      }
      committing = std::async(std::launch::async, [this, blocks = std::move(parsed)]() mutable { return commit(blocks); });
      progress.update(source->bytes_read());
      round.clear();
      while (round.size() < parsers_.size()) {
        auto next = source->next(delimiter);
        if (!next.ok()) {
          outcome = next.error().at(file_);
          break;
        }
        if (next->lines.empty()) {
          break;
        }
        round.push_back(std::move(next).value());
      }
    }
    if (committing.valid()) {
      BECKON_TRY_STATUS(committing.get());
    }
    totals_.new_customers += people_.new_customers();
    progress.finish();
    return context_.stop ? base::Status(base::unavailable("interrupted: run the same command again, nothing is taken in twice"))
                         : outcome;
  }

 private:
  base::Status make_parsers(bool csv, table::Block& first) {
    const catalog::Market& market = context_.config.shop.default_market();
    events::ParseOptions options;
    options.zone = market.time_zone();
    options.currency = market.currency;
    options.now = latest_now(context_);
    options.channel = context_.config.event_channel;
    for (std::size_t i = 0; i < 2 * context_.executor->worker_count(); ++i) {
      parsers_.push_back(std::make_unique<BlockParser>(context_, options));
    }
    if (!csv) {
      return base::ok_status();
    }
    if (!context_.config.has_csv_mapping) {
      return base::invalid_argument(file_ + ": looks like CSV, and beckon.toml has no [events.csv] that says which column is what");
    }
    const std::string header(first.lines.front().text);
    first.lines.erase(first.lines.begin());
    for (auto& parser : parsers_) {
      const auto status = parser->set_csv_header(header);
      if (!status.ok()) {
        return status.error().at(file_);
      }
    }
    return base::ok_status();
  }

  // A round of blocks in file order, one synced batch, on the committing thread.
  base::Status commit(std::vector<ParsedBlock>& blocks) {
    store::WriteBatch changes;
    std::vector<events::Event> round;
    people_.begin();
    for (auto& block : blocks) {
      BECKON_TRY_STATUS(number_repeats(block));
      BECKON_TRY_STATUS(people_.apply(block, changes));
      std::int64_t erased = 0;
      for (auto& event : block.events) {
        if (!people_.accepts(event)) {
          ++erased;
          continue;
        }
        event.place = ++place_;
        totals_.clock_corrected += event.clock_corrected ? 1 : 0;
        if (event.customer != last_touched_ && touched_.size() < 1'000'000) {
          last_touched_ = event.customer;
          touched_.insert(event.customer);
        }
        round.push_back(std::move(event));
      }
      count_rejects(block, erased);
      totals_.read += block.lines;
    }
    store::Timelines timelines(*context_.rows);
    BECKON_TRY(const auto counts, timelines.append(round, std::move(changes)));
    totals_.accepted += counts.added;
    totals_.duplicates += counts.duplicates;
    for (const auto& block : blocks) {
      BECKON_TRY_STATUS(write_rejects(block));
    }
    return base::ok_status();
  }

  base::Status number_repeats(ParsedBlock& block) {
    for (std::size_t i = 0; i < block.events.size(); ++i) {
      if (block.content[i] == 0) {
        continue;
      }
      BECKON_TRY(const std::uint64_t occurrence, occurrences_.next(block.content[i]));
      const std::uint64_t high = block.content[i];
      const std::uint64_t low = base::stable_hash(std::string_view(reinterpret_cast<const char*>(&occurrence), sizeof occurrence), high);
      std::memcpy(block.events[i].id.data(), &high, 8);
      std::memcpy(block.events[i].id.data() + 8, &low, 8);
    }
    return base::ok_status();
  }

  void count_rejects(const ParsedBlock& block, std::int64_t erased) {
    for (const auto& reject : block.rejects) {
      ++totals_.rejected;
      ++totals_.rejected_by_reason[reject.field.empty() ? reject.reason : reject.field + ": " + reject.reason];
    }
    if (erased > 0) {
      totals_.rejected += erased;
      totals_.rejected_by_reason["erased_customer"] += erased;
    }
  }

  base::Status write_rejects(const ParsedBlock& block) {
    if (block.rejects.empty()) {
      return base::ok_status();
    }
    if (rejects_ == nullptr) {
      BECKON_TRY(rejects_, context_.files->open_append(context_.path("data/rejects.jsonl")));
    }
    std::string text;
    for (const auto& reject : block.rejects) {
      text += base::to_line({{"file", file_.substr(file_.rfind('/') + 1)}, {"line", reject.line}, {"field", reject.field},
                             {"reason", reject.reason}, {"row", reject.row_hash}}) +
              "\n";
    }
    BECKON_TRY_STATUS(rejects_->append(text));
    return rejects_->sync();
  }

  Context& context_;
  std::string file_;
  Totals& totals_;
  std::unordered_set<privacy::Pseudonym>& touched_;
  PeopleChanges people_;
  OccurrenceCounter occurrences_;
  std::vector<std::unique_ptr<BlockParser>> parsers_;
  std::unique_ptr<base::AppendFile> rejects_;
  privacy::Pseudonym last_touched_;
  std::uint64_t place_ = 0;  // of the last event handed on
};

// Looks at the whole window of everybody who got new events, under whichever of his ids: bots flagged, refunds paired, unknown items
// counted.
base::Status clean(Context& context, const std::unordered_set<privacy::Pseudonym>& touched_ids, Totals& totals) {
  BECKON_TRY(const auto links, store::People(*context.rows).links());
  std::unordered_set<privacy::Pseudonym> touched;
  for (const auto& id : touched_ids) {
    const auto person = links.find(id);
    touched.insert(person == links.end() ? id : person->second);
  }
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  std::set<std::string> known;
  for (const auto& item : items) {
    known.insert(item.id.str());
  }
  base::Progress progress({"clean", "customers", static_cast<std::int64_t>(touched.size()), context.progress()}, *context.clock);
  const store::People people(*context.rows);
  store::WriteBatch changes;
  std::int64_t done = 0;
  const auto look_at = [&](const privacy::Pseudonym& customer, const std::vector<events::Event>& window) -> base::Status {
    const std::string reason = events::bot_reason(window, context.config.bots);
    BECKON_TRY(const std::string before, people.flag(customer));
    if (!reason.empty()) {
      ++totals.flagged[reason];
      store::People::put_flag(customer, reason, changes);
    } else if (!before.empty()) {
      store::People::remove_flag(customer, changes);
    }
    const auto pairs = events::pair_refunds(window);
    totals.refunds_paired += pairs.paired;
    totals.refunds_unpaired += pairs.unpaired;
    for (const auto& event : window) {
      totals.unknown_items += !event.item.empty() && !known.empty() && !known.contains(event.item) ? 1 : 0;
    }
    progress.update(++done);
    return base::ok_status();
  };
  const base::Instant until = latest_now(context).plus_ms(base::kDayMs);
  if (touched.size() > kScanInstead) {  // one pass over everybody is cheaper than as many lookups
    base::Status problem = base::ok_status();
    BECKON_TRY_STATUS(store::for_each_person(*context.rows, until, [&](const auto& customer, const std::vector<events::Event>& window) {
      problem = touched.contains(customer) ? look_at(customer, window) : base::ok_status();
      return problem.ok();
    }));
    BECKON_TRY_STATUS(problem);
  } else {
    for (const auto& customer : touched) {
      BECKON_TRY(const auto window, store::read_person(*context.rows, customer, until));
      BECKON_TRY_STATUS(look_at(customer, window));
    }
  }
  return changes.empty() ? base::ok_status() : context.rows->write(changes);
}

}  // namespace

base::Result<base::Json> ingest(Context& context, const std::vector<std::string>& files) {
  const base::SystemClock stopwatch;
  const std::int64_t started_ms = stopwatch.monotonic_ms();
  Totals totals;
  std::unordered_set<privacy::Pseudonym> touched;
  base::Status problem = base::ok_status();
  for (const auto& file : files) {
    FileIngest one(context, file, totals, touched);
    problem = one.run();
    if (!problem.ok()) {
      break;  // what came before is acknowledged and stays
    }
  }
  BECKON_TRY_STATUS(clean(context, touched, totals));
  BECKON_TRY_STATUS(problem);
  const double seconds = static_cast<double>(std::max<std::int64_t>(1, stopwatch.monotonic_ms() - started_ms)) / 1000.0;
  return base::Json{{"read", totals.read},
                    {"accepted", totals.accepted},
                    {"duplicates", totals.duplicates},
                    {"rejected", totals.rejected},
                    {"rejected_by_reason", totals.rejected_by_reason},
                    {"flagged", totals.flagged},
                    {"refunds", {{"paired", totals.refunds_paired}, {"unpaired", totals.refunds_unpaired}}},
                    {"unknown_items", totals.unknown_items},
                    {"clock_corrected", totals.clock_corrected},
                    {"new_customers", totals.new_customers},
                    {"seconds", seconds},
                    {"events_per_second", static_cast<double>(totals.accepted + totals.duplicates) / seconds},
                    {"exit", totals.rejected > 0 ? 5 : 0}};
}

}  // namespace beckon::engine
