#include "world.h"

#include <algorithm>
#include <cmath>

namespace beckon::market {
namespace {

struct CategoryName {
  const char* path;
  const char* noun_en;
  const char* noun_zh;
  double typical_major;  // in major units
};
constexpr std::array<CategoryName, 12> kCategories{{
    {"Clothing > Shirts", "Shirt", "衬衫", 40}, {"Clothing > Jackets", "Jacket", "夹克", 110}, {"Shoes > Running", "Running shoe", "跑鞋", 95},
    {"Shoes > Everyday", "Sneaker", "休闲鞋", 70}, {"Home > Kitchen", "Cup set", "杯具套装", 28}, {"Home > Bedroom", "Blanket", "毛毯", 60},
    {"Beauty > Care", "Face cream", "面霜", 24}, {"Beauty > Hair", "Shampoo", "洗发水", 12}, {"Food > Coffee", "Coffee beans", "咖啡豆", 15},
    {"Food > Tea", "Tea", "茶叶", 11}, {"Sport > Yoga", "Yoga mat", "瑜伽垫", 35}, {"Baby > Care", "Wet wipes", "婴儿湿巾", 8},
}};
constexpr std::array<std::pair<const char*, const char*>, 12> kAdjectives{{
    {"Light", "轻盈"}, {"Classic", "经典"}, {"Soft", "柔软"}, {"Nordic", "北欧"}, {"Urban", "都市"}, {"Mountain", "山地"},
    {"Organic", "有机"}, {"Pure", "纯净"}, {"Bold", "浓郁"}, {"Daily", "日常"}, {"Fine", "精致"}, {"Wild", "野趣"}}};
constexpr std::array<const char*, 8> kBrands{"Alder", "Birke", "Cedra", "Duna", "Esker", "Fjell", "Gruen", "Halm"};

struct Place {
  const char* zone;
  const char* country;
  const char* dial;
};
constexpr std::array<Place, 6> kWest{{{"Europe/Berlin", "DE", "+49"}, {"Europe/Vienna", "AT", "+43"}, {"Europe/London", "GB", "+44"},
                                      {"Europe/Paris", "FR", "+33"}, {"America/New_York", "US", "+1"}, {"Europe/Berlin", "DE", "+49"}}};
constexpr std::array<Place, 2> kEast{{{"Asia/Shanghai", "CN", "+86"}, {"Asia/Singapore", "SG", "+65"}}};
constexpr std::array<const char*, 7> kZones{"Europe/Berlin", "Europe/Vienna", "Europe/London", "Europe/Paris", "America/New_York",
                                            "Asia/Shanghai", "Asia/Singapore"};

std::string numbered(const char* prefix, std::int64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  text.insert(0, digits > text.size() ? digits - text.size() : 0, '0');
  return prefix + text;
}

Taste unit(Taste taste) {
  double length = 0;
  for (const double x : taste) {
    length += x * x;
  }
  for (double& x : taste) {
    x /= std::sqrt(std::max(length, 1e-12));
  }
  return taste;
}

Taste random_taste(base::Rng& rng) {
  Taste taste;
  for (double& x : taste) {
    x = rng.normal();
  }
  return unit(taste);
}

Taste mix(const Taste& a, double weight, const Taste& b) {
  Taste out;
  for (std::size_t d = 0; d < kTasteDims; ++d) {
    out[d] = weight * a[d] + (1 - weight) * b[d];
  }
  return unit(out);
}

double dot(const Taste& a, const Taste& b) {
  double sum = 0;
  for (std::size_t d = 0; d < kTasteDims; ++d) {
    sum += a[d] * b[d];
  }
  return sum;
}

class Builder {
 public:
  explicit Builder(const MarketOptions& options) { world_.options = options; }

  base::Result<World> build() {
    BECKON_TRY(world_.currency, base::Currency::parse(world_.options.currency));
    world_.days = world_.options.history_days + kDaysAhead;
    BECKON_TRY_STATUS(build_days());
    base::Rng rng(world_.options.seed, 1);
    for (std::int64_t k = 0; k < world_.options.categories; ++k) {
      category_taste_.push_back(random_taste(rng));
    }
    build_items();
    for (std::int64_t i = 0; i < world_.options.customers; ++i) {
      build_customer(i);
    }
    return std::move(world_);
  }

 private:
  World world_;
  std::vector<Taste> category_taste_;

  base::Status build_days() {
    for (const char* name : kZones) {
      BECKON_TRY(const auto zone, base::Zone::find(name));
      std::vector<std::int64_t> starts;
      for (std::int64_t day = 0; day <= world_.days + 1; ++day) {
        base::LocalTime local = base::Zone::utc().to_local(world_.options.start.plus_ms(day * base::kDayMs + base::kDayMs / 2));
        local.hour = local.minute = local.second = 0;
        starts.push_back(zone.to_instant(local).ms);
      }
      world_.day_start_ms.push_back(std::move(starts));
    }
    return base::ok_status();
  }

  void build_items() {
    base::Rng rng(world_.options.seed, 2);
    const auto categories = world_.options.categories;
    world_.by_category.resize(static_cast<std::size_t>(categories));
    double scale = 1;
    for (int d = 0; d < world_.currency.decimals(); ++d) {
      scale *= 10;
    }
    for (std::int64_t j = 0; j < world_.options.items; ++j) {
      const auto k = static_cast<std::int32_t>(j % categories);
      const auto& name = kCategories[static_cast<std::size_t>(k) % kCategories.size()];
      const auto& adjective = kAdjectives[rng.below(kAdjectives.size())];
      Item item;
      item.id = numbered("item-", j, 4);
      item.brand = kBrands[rng.below(kBrands.size())];
      const std::string number = std::to_string(j / categories + 1);
      item.title_en = item.brand + " " + adjective.first + " " + name.noun_en + " " + number;
      item.title_zh = item.brand + " " + adjective.second + name.noun_zh + " " + number;
      item.category = name.path;
      if (static_cast<std::size_t>(k) >= kCategories.size()) {
        item.category += " " + std::to_string(static_cast<std::size_t>(k) / kCategories.size() + 1);
      }
      item.category_index = k;
      item.price_minor = std::max<std::int64_t>(1, std::llround(name.typical_major * std::exp(0.35 * rng.normal()) * scale));
      item.cost_minor = std::llround(static_cast<double>(item.price_minor) * (0.4 + 0.25 * rng.uniform()));
      item.stock = 200 + static_cast<std::int64_t>(rng.below(2000));
      world_.items.push_back(std::move(item));
      world_.by_category[static_cast<std::size_t>(k)].push_back(static_cast<std::int32_t>(j));
      world_.hidden_items.push_back(hidden_item(k, rng));
    }
    link_items(rng);
  }

  HiddenItem hidden_item(std::int32_t category, base::Rng& rng) {
    HiddenItem hidden;
    hidden.taste = mix(category_taste_[static_cast<std::size_t>(category)], 0.65, random_taste(rng));
    hidden.popularity = std::exp(rng.normal());
    hidden.drift = 0.8 * rng.uniform();
    hidden.drift_phase = 6.283 * rng.uniform();
    hidden.first_day = rng.chance(0.1) ? static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(world_.options.history_days) + 1)) : 0;
    const bool consumable = category % 12 >= 6 && category % 12 != 10;
    hidden.repeat_ms = consumable && rng.chance(0.6) ? static_cast<std::int64_t>((14 + 30 * rng.uniform()) * base::kDayMs) : 0;
    return hidden;
  }

  // What follows what: views lead on to a fixed neighbour, and two items in five have a companion that is bought days later.
  void link_items(base::Rng& rng) {
    const auto count = static_cast<std::uint64_t>(world_.options.items);
    for (auto& hidden : world_.hidden_items) {
      hidden.next_viewed = static_cast<std::int32_t>(rng.below(count));
      hidden.companion = rng.chance(0.4) ? static_cast<std::int32_t>(rng.below(count)) : -1;
    }
    for (const auto& members : world_.by_category) {
      double sum = 0;
      for (const auto j : members) {
        sum += std::log(static_cast<double>(world_.items[static_cast<std::size_t>(j)].price_minor));
      }
      world_.mean_log_price.push_back(members.empty() ? 0 : sum / static_cast<double>(members.size()));
    }
  }

  void build_customer(std::int64_t i) {
    base::Rng rng(world_.options.seed, 1'000'000 + static_cast<std::uint64_t>(i));
    Person person;
    person.id = numbered("user-", i, 6);
    person.email = person.id + "@example.test";
    person.language = rng.chance(world_.options.chinese_share) ? "zh" : "en";
    const Place& place = person.language == "zh" ? kEast[rng.below(10) < 8 ? 0 : 1] : kWest[rng.below(kWest.size())];
    person.zone = place.zone;
    person.country = place.country;
    person.phone = place.dial + numbered("555", i, 7);
    person.consented = rng.chance(world_.options.consent_share);
    if (person.consented) {
      person.channels = {"email"};
      if (rng.chance(0.7)) {
        person.channels.emplace_back("push");
      }
      if (rng.chance(0.3)) {
        person.channels.emplace_back("sms");
      }
    }
    HiddenCustomer hidden = hidden_customer(rng);
    hidden.zone_index = static_cast<std::size_t>(std::find(kZones.begin(), kZones.end(), std::string_view(place.zone)) - kZones.begin());
    world_.people.push_back(std::move(person));
    world_.customers.push_back(std::move(hidden));
  }

  HiddenCustomer hidden_customer(base::Rng& rng) {
    HiddenCustomer c;
    const double u = rng.uniform();
    c.nature = u < 0.2 ? Nature::kSureThing : u < 0.55 ? Nature::kPersuadable : u < 0.9 ? Nature::kLostCause : Nature::kSleepingDog;
    const auto& favourite = category_taste_[rng.below(category_taste_.size())];
    const auto& second = category_taste_[rng.below(category_taste_.size())];
    c.taste = mix(mix(favourite, 0.6, second), 0.75, random_taste(rng));
    double share_web = 0.5;
    double share_app = 0.35;
    switch (c.nature) {  // each nature leaves traces in behaviour, so that a model can find it out
      case Nature::kSureThing:
        c.visits_per_day = 0.35, c.buying = 0.9, c.persuasion = 0.05, c.sensitivity = 0.5, c.opening = 0.3;
        break;
      case Nature::kPersuadable:
        c.visits_per_day = 0.28, c.buying = -0.6, c.persuasion = 1.0, c.sensitivity = 1.8, c.opening = 0.2;
        break;
      case Nature::kLostCause:
        c.visits_per_day = 0.07, c.buying = -0.4, c.persuasion = 0.1, c.sensitivity = 1.0, c.opening = -1.0;
        break;
      case Nature::kSleepingDog:
        c.visits_per_day = 0.2, c.buying = 0.5, c.persuasion = 0.0, c.sensitivity = 0.7, c.opening = -0.2;
        share_web = 0.25;
        share_app = 0.1;
        break;
    }
    c.visits_per_day *= std::exp(0.35 * rng.normal());
    c.sensitivity *= std::exp(0.25 * rng.normal());
    c.opening += 0.5 * rng.normal();
    c.shop_channel = {share_web, share_web + share_app, 1};
    c.peak_hour = static_cast<std::int32_t>(rng.chance(0.3) ? 8 + rng.below(3) : 18 + rng.below(5));
    for (const auto& taste : category_taste_) {
      c.category_weight.push_back(std::exp(3.5 * dot(c.taste, taste)));
    }
    return c;
  }
};

}  // namespace

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double World::affinity(std::size_t customer, std::size_t item) const {
  return dot(customers[customer].taste, hidden_items[item].taste);
}

std::int64_t discounted(std::int64_t amount_minor, std::int64_t discount_bp) {
  return base::multiply_divide(amount_minor, 10'000 - discount_bp, 10'000, base::Rounding::kHalfEven).value();
}

base::Result<World> make_world(const MarketOptions& options) {
  if (options.customers < 1 || options.customers > 10'000'000 || options.items < 1 || options.items > 9'999 ||
      options.categories < 1 || options.categories > options.items) {
    return base::invalid_argument("market: customers must be 1 to 10,000,000, items 1 to 9,999, categories 1 to the number of items");
  }
  if (options.history_days < 0 || options.history_days > 3650 || !(options.effect_scale >= 0) || options.effect_scale > 3) {
    return base::invalid_argument("market: history_days must be 0 to 3,650 and effect_scale 0 to 3");
  }
  return Builder(options).build();
}

}  // namespace beckon::market
