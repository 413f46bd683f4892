// A study would be made on other numbers than the file holds, without a word, if one of these broke.
#include "beckon/table/table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "test_files.h"

namespace beckon::table {
namespace {

Table table_of(const std::string& text, const ReadOptions& options = {}) {
  auto table = parse_table(text, "t.csv", options);
  EXPECT_TRUE(table.ok()) << table.error().message;
  return std::move(table).value();
}

TEST(ReadTable, KindsFollowTheCells) {
  // A price column read as categories, or a postcode read as a number where it is none, would spoil every estimate.
  const Table t = table_of("price,day,zip,sold\n1.5,2026-01-31,AB1,0\n+2,2026-02-01,AB2,1\nNA,,AB1,1\n");
  ASSERT_EQ(t.rows(), 3U);
  EXPECT_EQ(t.columns()[0].kind, Kind::kNumber);
  EXPECT_EQ(t.columns()[0].numbers[1], 2);
  EXPECT_TRUE(std::isnan(t.columns()[0].numbers[2]));
  EXPECT_EQ(t.columns()[0].missing, 1);
  EXPECT_EQ(t.columns()[1].kind, Kind::kDate);
  EXPECT_EQ(t.columns()[1].numbers[1] - t.columns()[1].numbers[0], 86'400'000);
  EXPECT_EQ(t.columns()[2].kind, Kind::kCategory);
  EXPECT_EQ(t.columns()[2].codes, (std::vector<std::uint32_t>{1, 2, 1}));
  EXPECT_EQ(cell_text(t.columns()[2], 2), "AB1");
  EXPECT_EQ(cell_text(t.columns()[0], 0), "1.5");
  EXPECT_EQ(cell_text(t.columns()[0], 2), "");
  EXPECT_TRUE(t.numbers("sold").ok());
  EXPECT_EQ(t.numbers("zip").error().message,
            "t.csv: column 'zip' holds texts such as 'AB2' where numbers are needed: name another column, or write numbers into this one");
}

TEST(ReadTable, IdsStayAsTheyAreWritten) {
  // Customer 007 is not customer 7, and a long number rounded to a double is somebody else.
  const auto table = parse_table("customer,item\n007,1\n7,2\n12345678901234567,1000000\n", "ids", {.as_text = true});
  ASSERT_TRUE(table.ok()) << table.error().message;
  const Column& customer = *table->find("customer").value();
  EXPECT_EQ(cell_text(customer, 0), "007");
  EXPECT_EQ(cell_text(customer, 1), "7");
  EXPECT_EQ(cell_text(customer, 2), "12345678901234567");
  EXPECT_EQ(cell_text(*table->find("item").value(), 2), "1000000");
}

TEST(ReadTable, AFewTypingErrorsDoNotTurnNumbersIntoNames) {
  // One "n.b." in a million prices: counted with its line, not a million categories; and the kind does not hang on which rows come first.
  std::string text = "x,y\noops,oops\n";
  for (int i = 0; i < 60; ++i) {
    text += std::to_string(i) + "," + (i < 50 ? "word" : "7") + "\n";
  }
  const Table t = table_of(text + "inf,7\n");
  EXPECT_EQ(t.columns()[0].kind, Kind::kNumber);
  EXPECT_EQ(t.columns()[0].unreadable, 2);
  EXPECT_EQ(t.columns()[0].first_unreadable_line, 2);
  EXPECT_EQ(t.columns()[0].numbers[1], 0);
  EXPECT_EQ(t.columns()[1].kind, Kind::kCategory);
  EXPECT_EQ(t.columns()[1].labels, (std::vector<std::string>{"", "oops", "word", "7"}));
}

TEST(ReadTable, RowsThatDoNotFitAreNamed) {
  // A row that vanishes in silence shifts every mean.
  const Table t = table_of("a;b\n1;2\n3\n4;5;6\n\"7\";\"8;9\"\n");
  EXPECT_EQ(t.rows(), 2U);
  EXPECT_EQ(t.rejected, 2);
  EXPECT_EQ(t.rejects[0].line, 3);
  EXPECT_EQ(t.rejects[0].reason, "1 fields where the header names 2");
  EXPECT_EQ(t.columns()[1].labels.back(), "8;9");
}

TEST(ReadTable, ColumnsAreChosenAndMisspeltOnesNamed) {
  // "No such column" without the nearest one costs the user a look into the file.
  const Table t = table_of(",outcome,b\n1,2,3\n", {{"b", "outcome"}});
  ASSERT_EQ(t.columns().size(), 2U);
  EXPECT_EQ(t.columns()[0].name, "outcome");
  EXPECT_EQ(parse_table("a,outcome\n1,2\n", "t.csv", {{"outcme"}}).error().message,
            "t.csv has no column 'outcme': did you mean 'outcome'? It has a, outcome");
  EXPECT_FALSE(parse_table("a,a\n1,2\n", "t.csv").ok());
  EXPECT_FALSE(parse_table("", "t.csv").ok());
  EXPECT_EQ(table_of(",b\n1,2\n").columns()[0].name, "column_1");
  EXPECT_EQ(table_of("a,b\n").rows(), 0U);
}

TEST(ReadTable, CompressedFilesHoldTheSame) {
  // Exports arrive as .csv.gz; line ends inside quotes belong to the field.
  const TestFolder folder("table");
  std::string text = "\xEF\xBB\xBFid\tnote\n";
  for (int i = 0; i < 40'000; ++i) {
    text += std::to_string(i) + "\t\"two\nlines, one field\"\r\n";
  }
  for (const auto& path : {folder.file("t.csv", text), folder.file("t.csv.gz", gzip(text)), folder.file("t.csv.zst", zstd(text))}) {
    const auto t = read_table(path);
    ASSERT_TRUE(t.ok()) << t.error().message;
    EXPECT_EQ(t->rows(), 40'000U);
    EXPECT_EQ(t->rejected, 0);
    EXPECT_EQ(t->columns()[0].name, "id");
    EXPECT_EQ(t->columns()[0].numbers.back(), 39'999);
    EXPECT_EQ(t->columns()[1].labels.size(), 2U);
  }
  EXPECT_EQ(read_table(folder.path + "/none.csv").error().code, base::ErrorCode::kNotFound);
  EXPECT_FALSE(read_table(folder.file("cut.csv.gz", gzip(text).substr(0, 400))).ok());
}

TEST(RowsWhere, KeepsTheRowsInOrder) {
  // A filter that lost a column or counted its missing cells wrong would report another file.
  const Table t = table_of("x,c\n1,a\nNA,b\nbroken\n3,\n");
  const Table kept = rows_where(t, std::vector<std::uint8_t>{0, 1, 1});
  ASSERT_EQ(kept.rows(), 2U);
  EXPECT_EQ(kept.rejected, 1);
  EXPECT_EQ(kept.rejects[0].line, 4);
  EXPECT_EQ(kept.columns()[0].numbers[1], 3);
  EXPECT_EQ(kept.columns()[0].missing, 1);
  EXPECT_EQ(kept.columns()[1].missing, 1);
  EXPECT_EQ(cell_text(kept.columns()[1], 0), "b");
}

}  // namespace
}  // namespace beckon::table
