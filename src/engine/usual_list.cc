#include "usual_list.h"

#include <algorithm>
#include <set>

#include "beckon/table/table.h"

namespace beckon::engine {
namespace {

struct ListColumns {
  const table::Column* customer = nullptr;
  const table::Column* item = nullptr;
  const table::Column* offer = nullptr;    ///< nullptr: the list does not say
  const table::Column* channel = nullptr;
};

// One reading of the list: its rows become choices, or counts of why not.
class ListReader {
 public:
  ListReader(const Context& context, const PlanMaterial& material) : context_(context), material_(material) {
    for (std::size_t i = 0; i < material.input.items.size(); ++i) {
      item_of_[material.input.items[i].id.str()] = static_cast<std::int32_t>(i);
    }
    for (const auto& person : material.input.persons) {
      known_.insert(person.customer);
    }
    for (const auto& item : material.input.popular) {
      chance_of_[item.item] = item.buy_probability;
    }
  }

  void add(const ListColumns& columns, std::size_t row) {
    const auto customer = find_customer(context_, table::cell_text(*columns.customer, row));
    if (!customer.ok() || !known_.contains(*customer)) {
      ++problems["naming no customer of this shop"];
      return;
    }
    const auto item = item_of_.find(table::cell_text(*columns.item, row));
    if (item == item_of_.end()) {
      ++problems["naming no item of the catalogue"];
      return;
    }
    decide::Listed listed;
    listed.item = item->second;
    const auto chance = chance_of_.find(item->second);
    listed.buy_probability = chance == chance_of_.end() ? 0 : chance->second;
    if (!read_offer(columns, row, listed) || !read_channel(columns, row, listed)) {
      return;
    }
    if (!choices.emplace(*customer, listed).second) {
      ++problems["naming a customer a second time"];
    }
  }

  std::map<privacy::Pseudonym, decide::Listed> choices;
  std::map<std::string, std::int64_t> problems;

 private:
  bool read_offer(const ListColumns& columns, std::size_t row, decide::Listed& listed) {
    const std::string id = columns.offer == nullptr ? "" : table::cell_text(*columns.offer, row);
    if (id.empty()) {
      return true;
    }
    const auto& offers = material_.campaign.offers;
    const auto found = std::find_if(offers.begin(), offers.end(), [&](const auto& offer) { return offer.id.str() == id; });
    listed.offer = static_cast<std::int32_t>(found - offers.begin());
    problems["naming no offer of this campaign"] += found == offers.end() ? 1 : 0;
    return found != offers.end();
  }

  bool read_channel(const ListColumns& columns, std::size_t row, decide::Listed& listed) {
    listed.channel = columns.channel == nullptr ? "" : table::cell_text(*columns.channel, row);
    const auto& channels = material_.campaign.channels;
    const bool known = listed.channel.empty() || std::find(channels.begin(), channels.end(), listed.channel) != channels.end();
    problems["naming no channel of this campaign"] += known ? 0 : 1;
    return known;
  }

  const Context& context_;
  const PlanMaterial& material_;
  std::set<privacy::Pseudonym> known_;
  std::map<std::string, std::int32_t> item_of_;
  std::map<std::int32_t, double> chance_of_;
};

}  // namespace

base::Result<std::map<privacy::Pseudonym, decide::Listed>> read_usual_list(const Context& context, PlanMaterial& material) {
  const std::string& name = material.campaign.usual.list;
  if (name.empty()) {
    return std::map<privacy::Pseudonym, decide::Listed>{};
  }
  BECKON_TRY(const table::Table rows, table::read_table(context.files->exists(name) ? name : context.path(name), {.as_text = true}));
  ListColumns columns;
  BECKON_TRY(columns.customer, rows.find("customer"));
  BECKON_TRY(columns.item, rows.find("item"));
  columns.offer = rows.find("offer").value_or(nullptr);
  columns.channel = rows.find("channel").value_or(nullptr);
  ListReader reader(context, material);
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    reader.add(columns, row);
  }
  reader.problems["with too few or too many fields"] += rows.rejected;
  for (const auto& [problem, count] : reader.problems) {
    if (count > 0) {
      material.notes.push_back(name + ": " + std::to_string(count) + " of " + std::to_string(rows.rows() + static_cast<std::size_t>(rows.rejected)) +
                               " rows left out, " + problem);
    }
  }
  return std::move(reader.choices);
}

}  // namespace beckon::engine
