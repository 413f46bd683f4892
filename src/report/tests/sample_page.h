#pragma once
// A page with everything on it, in English or Chinese: for the tests, and for looking at (report_sample).

#include <cmath>

#include "beckon/report/report.h"

namespace beckon::report {

inline Page sample_page(bool chinese) {
  const auto say = [&](const char* en, const char* zh) { return std::string(chinese ? zh : en); };
  Page page;
  page.language = chinese ? "zh" : "en";
  page.title = say("Spring campaign: what it really changed", "春季活动：真实增量报告");
  page.subtitle = say("1 March – 14 March 2026 · Germany, Austria · 48,210 customers", "2026年3月1日至3月14日 · 德国、奥地利 · 48,210 位顾客");
  page.figures = {
      {say("Extra profit", "增量利润"), "12,480 EUR", say("between 7,910 and 17,050 EUR", "区间 7,910 至 17,050 EUR"), Tone::kGood},
      {say("Extra orders", "增量订单"), "+412", say("3.2 % more than without messages", "比不发送时多 3.2 %"), Tone::kNeutral},
      {say("Discounts given", "折扣支出"), "5,960 EUR", say("of 6,000 EUR budget", "预算 6,000 EUR"), Tone::kNeutral},
      {say("Unsubscribed", "退订"), "0.21 %", say("above the limit of 0.15 %", "高于上限 0.15 %"), Tone::kWarning}};
  Section effect;
  effect.heading = say("Effect by segment", "按人群看效果");
  effect.paragraphs = {say("Customers were assigned at random; 10 % received nothing. The difference between the two groups is what "
                           "the messages changed. Where an interval crosses zero, nobody can tell yet whether there was an effect.",
                           "顾客被随机分组，其中 10 % 不发送任何消息。两组之间的差异就是消息带来的变化。区间跨过零，说明目前还不能判断是否有效果。")};
  effect.callouts = {{CalloutKind::kNotice, say("All figures on this page are randomised comparisons.", "本页所有数字均来自随机对照。")},
                     {CalloutKind::kWarning, say("Loyal customers would have bought anyway: their discounts cost 1,240 EUR.",
                                                 "忠实顾客本来就会购买：给他们的折扣花费了 1,240 EUR。")}};
  Chart points;
  points.kind = ChartKind::kPoints;
  points.title = say("Extra profit per 1,000 customers", "每千名顾客的增量利润");
  points.y_label = say("extra profit", "增量利润");
  points.unit = "EUR";
  points.categories = {say("New customers", "新顾客"), say("Hesitating (cart left)", "犹豫中（购物车未结算）"),
                       say("Regular", "常客"), say("Loyal", "忠实顾客"), say("Asleep for 90 days", "沉睡 90 天")};
  points.series = {{"", {310, 842, 120, -95, 60}, {150, 610, -20, -190, -110}, {470, 1074, 260, 0, 230}}};
  points.note = say("Points: estimate. Lines: 95 % interval.", "点：估计值；线：95 % 区间。");
  Chart bars;
  bars.kind = ChartKind::kBars;
  bars.title = say("Orders per 1,000 customers", "每千名顾客的订单数");
  bars.unit = "";
  bars.categories = {say("E-mail", "邮件"), say("Push", "推送"), "WeChat"};
  bars.series = {{say("with message", "发送"), {61.2, 48.4, 70.9}, {57, 44, 65}, {65.4, 52.8, 76.8}},
                 {say("without", "未发送"), {55.1, 47.9, 58.3}, {51, 43, 53}, {59.2, 52.8, 63.6}}};
  effect.charts = {points, bars};
  Section time;
  time.heading = say("Over time", "随时间变化");
  Chart lines;
  lines.kind = ChartKind::kLines;
  lines.title = say("Revenue per customer and day", "每位顾客每日收入");
  lines.y_label = say("revenue", "收入");
  lines.unit = "EUR";
  Series with{say("with message", "发送"), {}, {}, {}};
  Series without{say("without", "未发送"), {}, {}, {}};
  for (int day = 1; day <= 14; ++day) {
    lines.categories.push_back(say("Mar ", "3月") + std::to_string(day) + say("", "日"));
    const double base_value = 1.9 + 0.35 * std::sin(day * 0.9);
    without.y.push_back(base_value);
    with.y.push_back(base_value + 0.5 * std::exp(-day / 6.0));
    with.low.push_back(with.y.back() - 0.18);
    with.high.push_back(with.y.back() + 0.18);
  }
  lines.series = {with, without};
  Chart reliability;
  reliability.kind = ChartKind::kReliability;
  reliability.title = say("Did 3 % mean 3 of 100?", "3 % 真的是百分之三吗？");
  reliability.x_label = say("predicted probability (%)", "预测概率 (%)");
  reliability.y_label = say("observed", "实际");
  reliability.unit = "%";
  reliability.x = {0.4, 1.1, 1.9, 2.8, 4.1, 6.0, 9.2, 14.5};
  reliability.series = {{"", {0.5, 1.0, 2.1, 2.6, 4.4, 5.7, 9.9, 13.8}, {0.3, 0.7, 1.6, 2.1, 3.7, 4.9, 8.8, 12.4},
                         {0.7, 1.3, 2.6, 3.1, 5.1, 6.5, 11.0, 15.2}}};
  time.charts = {lines, reliability};
  Section items;
  items.heading = say("Items", "商品");
  Table table;
  table.title = say("Five items with the largest extra profit", "增量利润最高的五件商品");
  table.columns = {{say("Item", "商品")}, {say("Category", "类目")}, {say("Messages", "消息数"), Align::kRight},
                   {say("Extra orders", "增量订单"), Align::kRight}, {say("Extra profit", "增量利润"), Align::kRight, "EUR"}};
  table.rows = {{say("Linen shirt, white", "白色亚麻衬衫"), say("Clothing / Shirts", "服装 / 衬衫"), "4,210", "58", "1,932.40"},
                {say("Trail running shoe “Kestrel”", "越野跑鞋 Kestrel"), say("Shoes / Running", "鞋 / 跑步"), "3,880", "41", "1,610.00"},
                {say("Espresso cup, set of 6", "意式咖啡杯 6 件套"), say("Home / Kitchen", "家居 / 厨房"), "2,950", "37", "744.10"},
                {say("Wool blanket 140 × 200 cm", "羊毛毯 140 × 200 厘米"), say("Home / Bedroom", "家居 / 卧室"), "2,412", "22", "689.90"},
                {say("Children's rain jacket", "儿童雨衣"), say("Clothing / Children", "服装 / 儿童"), "1,975", "19", "401.55"}};
  table.note = say("Extra: against the 10 % who received nothing.", "增量：与未收到消息的 10 % 顾客相比。");
  items.tables = {table};
  page.sections = {effect, time, items};
  page.footer = say("beckon 0.1.0 · run spring26-0301 · random seed 7 · made on 15 March 2026", "beckon 0.1.0 · 运行 spring26-0301 · 随机种子 7 · 2026年3月15日生成");
  return page;
}

}  // namespace beckon::report
