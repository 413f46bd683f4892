#include "beckon/catalog/template.h"

#include <algorithm>
#include <array>

#include "beckon/base/toml.h"

namespace beckon::catalog {
namespace {

constexpr std::array<std::string_view, 6> kSlots{"item", "price", "was", "discount", "code", "expiry"};
constexpr std::array<std::string_view, 5> kKinds{"none", "percent_off", "money_off", "free_shipping", "points"};

Template make_built_in() {
  Template bank;
  bank.id = "standard";
  bank.texts["none"]["en"] = {"{item}", "Picked for you: {item}, now {price}."};
  bank.texts["none"]["zh"] = {"{item}", "为您推荐：{item}，现价{price}。"};
  bank.texts["percent_off"]["en"] = {"{discount} off {item}", "{item} for {price} instead of {was}. Use {code} until {expiry}."};
  bank.texts["percent_off"]["zh"] = {"{item}立减{discount}", "{item}现价{price}，原价{was}。优惠码{code}，有效期至{expiry}。"};
  bank.texts["money_off"]["en"] = {"{discount} off {item}", "{item} for {price} instead of {was}. Use {code} until {expiry}."};
  bank.texts["money_off"]["zh"] = {"{item}立减{discount}", "{item}现价{price}，原价{was}。优惠码{code}，有效期至{expiry}。"};
  bank.texts["free_shipping"]["en"] = {"{item}, delivered on us", "{item} for {price}, and we pay the delivery. Use {code} until {expiry}."};
  bank.texts["free_shipping"]["zh"] = {"{item}，运费我们来付", "{item}现价{price}，运费由我们承担。优惠码{code}，有效期至{expiry}。"};
  bank.texts["points"]["en"] = {"Extra points on {item}", "{item} for {price}, with {discount} back in points. Use {code} until {expiry}."};
  bank.texts["points"]["zh"] = {"{item}加赠积分", "{item}现价{price}，返{discount}积分。优惠码{code}，有效期至{expiry}。"};
  return bank;
}

std::string problem_of(const SlotText& text) {
  for (const auto& part : {text.subject, text.body}) {
    const auto slots = slots_of(part);
    if (!slots.ok()) {
      return slots.error().message;
    }
  }
  const auto body = slots_of(text.body).value();
  return std::find(body.begin(), body.end(), "item") == body.end() ? "the body must name the {item}" : "";
}

}  // namespace

const Template& built_in_template() {
  static const Template kBank = make_built_in();
  return kBank;
}

base::Result<std::vector<std::string>> slots_of(std::string_view text) {
  std::vector<std::string> slots;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9') {
      return base::invalid_argument("a digit in the text: numbers come from slots alone, so that no price can be wrong");
    }
    if (text[i] == '}') {
      return base::invalid_argument("a } without its {");
    }
    if (text[i] != '{') {
      continue;
    }
    const auto end = text.find('}', i);
    if (end == std::string_view::npos) {
      return base::invalid_argument("a { without its }");
    }
    const std::string name(text.substr(i + 1, end - i - 1));
    if (std::find(kSlots.begin(), kSlots.end(), name) == kSlots.end()) {
      const std::string near = base::nearest_word(name, {kSlots.begin(), kSlots.end()});
      return base::invalid_argument("unknown slot {" + name + "}" + (near.empty() ? "" : ": did you mean {" + near + "}?"));
    }
    slots.push_back(name);
    i = end;
  }
  return slots;
}

base::Result<Template> load_template(std::string_view text, const std::string& file) {
  BECKON_TRY(base::TomlTable root, base::TomlTable::parse(text, file));
  Template out;
  out.id = root.required_text("id");
  for (const auto kind : kKinds) {
    base::TomlTable of_kind = root.table(kind);
    for (const auto& language : of_kind.keys()) {
      base::TomlTable own = of_kind.table(language);
      SlotText slot_text{own.required_text("subject"), own.required_text("body")};
      if (const std::string problem = problem_of(slot_text); !problem.empty()) {
        own.fail("body", problem);
      }
      out.texts[std::string(kind)][language] = std::move(slot_text);
    }
  }
  BECKON_TRY_STATUS(root.finish());
  if (out.texts.empty()) {
    return base::invalid_argument(file + ": holds no text: write [percent_off.en] with subject and body");
  }
  return out;
}

}  // namespace beckon::catalog
