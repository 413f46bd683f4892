// A hostile item title could run in somebody's browser or terminal, or a table could become unreadable, if one of these broke.
#include <expat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/codec.h"
#include "beckon/base/json.h"
#include "sample_page.h"

namespace beckon::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kHostile = "<script>alert('x')</script>\"><img src=x onerror=y>&amp; \x1b[31m\x07 \xff\xfe \xE2\x80\xAE]]> --> 坏";

// Empty when the text is well-formed XML, else expat's complaint.
std::string xml_problem(const std::string& text) {
  XML_Parser parser = XML_ParserCreate("UTF-8");
  std::string problem;
  if (XML_Parse(parser, text.data(), static_cast<int>(text.size()), 1) != XML_STATUS_OK) {
    problem = std::string(XML_ErrorString(XML_GetErrorCode(parser))) + " in line " + std::to_string(XML_GetCurrentLineNumber(parser));
  }
  XML_ParserFree(parser);
  return problem;
}

// Every text of a page replaced.
Page hostile_page() {
  Page page = sample_page(false);
  page.title = page.subtitle = page.footer = page.language = kHostile;
  for (auto& figure : page.figures) {
    figure.label = figure.value = figure.detail = kHostile;
  }
  for (auto& section : page.sections) {
    section.heading = kHostile;
    section.paragraphs = {kHostile};
    for (auto& callout : section.callouts) {
      callout.text = kHostile;
    }
    for (auto& chart : section.charts) {
      chart.title = chart.x_label = chart.y_label = chart.unit = chart.note = kHostile;
      for (auto& category : chart.categories) {
        category = kHostile;
      }
      for (auto& series : chart.series) {
        series.name = kHostile;
      }
    }
    for (auto& table : section.tables) {
      table.title = table.note = kHostile;
      for (auto& column : table.columns) {
        column.name = column.unit = kHostile;
      }
      for (auto& row : table.rows) {
        for (auto& cell : row) {
          cell = kHostile;
        }
      }
    }
  }
  return page;
}

TEST(Html, HostileTextStaysText) {
  const std::string html = to_html(hostile_page());
  EXPECT_EQ(xml_problem(html), "");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, Not(HasSubstr("\xE2\x80\xAE")));  // right-to-left override
  EXPECT_TRUE(base::is_utf8(html));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)"));
}

TEST(Html, IsOneWellFormedFileWithoutReferences) {
  for (const bool chinese : {false, true}) {
    const std::string html = to_html(sample_page(chinese));
    EXPECT_EQ(xml_problem(html), "");
    for (const char* word : {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "javascript", "<link"}) {
      EXPECT_THAT(html, Not(HasSubstr(word)));
    }
    EXPECT_THAT(html, HasSubstr(chinese ? "lang=\"zh-CN\"" : "lang=\"en\""));
    EXPECT_LT(html.size(), 60'000U);
  }
}

TEST(Html, CanBeReadByAScreenReader) {
  const std::string html = to_html(sample_page(false));
  EXPECT_THAT(html, HasSubstr("role=\"img\" aria-label=\"Extra profit per 1,000 customers (chart)\""));
  EXPECT_THAT(html, HasSubstr("<caption>Five items with the largest extra profit</caption>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"right\">Extra profit <span class=\"unit\">EUR</span></th>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">Linen shirt, white</th>"));
  EXPECT_THAT(html, HasSubstr("<title>Loyal: −95 EUR (−190 – 0 EUR)</title>"));
}

TEST(Html, EmptyAndOddChartsStillDraw) {
  Page page{.title = "t"};
  Chart chart{.kind = ChartKind::kLines, .title = "gaps", .x = {1, 2, 3, 4}};
  chart.series = {{"a", {NAN, 1, NAN, 2}, {NAN, 0, NAN, 1}, {NAN, 2, NAN, 3}}, {"b", {0, 0, 0, 0}}};
  Chart flat{.kind = ChartKind::kPoints, .x = {5}, .series = {{"", {1e9}}}};
  Chart none{.kind = ChartKind::kBars, .title = "none"};
  none.categories = {"x"};
  none.series = {{"", {NAN}}};
  page.sections = {{.charts = {chart, flat, none, {.kind = ChartKind::kReliability}}}};
  const std::string html = to_html(page);
  EXPECT_EQ(xml_problem(html), "");
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf")));
  EXPECT_FALSE(to_terminal(page).empty());
}

TEST(Terminal, TablesAlignWithChineseAndNarrowScreens) {
  Table table{.title = "Items", .columns = {{"Item"}, {"Price", Align::kRight, "EUR"}}, .note = "note"};
  table.rows = {{"白色亚麻衬衫", "39.90"}, {"Shoe", "1,129.00"}, {"A very long name that cannot fit into forty columns", "5.00"}};
  EXPECT_EQ(to_terminal(table, {.width = 40}),
            "Items\n"
            "Item                         Price (EUR)\n"
            "───────────────────────────  ───────────\n"
            "白色亚麻衬衫                       39.90\n"
            "Shoe                            1,129.00\n"
            "A very long name that cann…         5.00\n"
            "note\n");
}

TEST(Terminal, ALongColumnNameGoesOverSeveralLines) {
  // "of it to people who bought without i…" leaves the reader to guess.
  Table table{.columns = {{"strategy"}, {"given to people who bought without it", Align::kRight, "EUR"}}};
  table.rows = {{"value", "55.47"}};
  EXPECT_EQ(to_terminal(table, {.width = 40}),
            "              given to people who bought\n"
            "strategy                without it (EUR)\n"
            "────────  ──────────────────────────────\n"
            "value                              55.47\n");
}

TEST(Terminal, NoLineIsWiderThanTheScreenAndNoEscapeComesFromText) {
  for (const int width : {40, 80, 120}) {
    for (const auto& page : {sample_page(false), sample_page(true)}) {
      const std::string text = to_terminal(page, {.width = width});
      EXPECT_THAT(text, Not(HasSubstr("\x1b")));
      std::size_t from = 0;
      for (std::size_t to = text.find('\n'); to != std::string::npos; from = to + 1, to = text.find('\n', from)) {
        EXPECT_LE(display_width(text.substr(from, to - from)), width) << text.substr(from, to - from);
      }
    }
  }
  const std::string coloured = to_terminal(hostile_page(), {.width = 80, .colour = true});
  EXPECT_EQ(coloured.find("\x1b[31m"), std::string::npos);
  EXPECT_THAT(coloured, HasSubstr("\x1b[1m"));
}

TEST(Terminal, ChartsBecomeBarsWithValues) {
  Page page{.title = "p"};
  Chart chart{.kind = ChartKind::kBars, .title = "Orders", .categories = {"mail", "推送"}, .series = {{"", {10, 5}}}};
  page.sections = {{.charts = {chart}}};
  const std::string text = to_terminal(page, {.width = 48});
  EXPECT_THAT(text, HasSubstr("mail  ██████████ 10\n"));
  EXPECT_THAT(text, HasSubstr("推送  █████ 5\n"));
}

TEST(Text, WidthsFollowTheTerminal) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("衬衫"), 4);
  EXPECT_EQ(display_width("e\xCC\x81"), 1);  // e with a combining accent
  EXPECT_EQ(display_width("한글"), 4);
  EXPECT_EQ(display_width("🙂"), 2);
  EXPECT_EQ(display_width("−…–"), 3);
}

TEST(Json, HoldsThePageAndTurnsGapsIntoNull) {
  Page page = sample_page(true);
  page.sections[0].charts[0].series[0].y[0] = NAN;
  const auto json = base::parse_json(to_json(page));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["title"], page.title);
  EXPECT_TRUE((*json)["sections"][0]["charts"][0]["series"][0]["y"][0].is_null());
  EXPECT_EQ((*json)["sections"][2]["tables"][0]["rows"][4][0], "儿童雨衣");
  EXPECT_EQ((*json)["figures"][3]["tone"], "warning");
  EXPECT_TRUE(base::parse_json(to_json(hostile_page())).ok());
}

}  // namespace
}  // namespace beckon::report
