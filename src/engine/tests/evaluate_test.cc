// Somebody's file with a broken line, or a typing error in a configuration, must not end in figures that mean something else.
#include "beckon/engine/evaluate.h"

#include "files.h"

namespace beckon::engine {
namespace {

constexpr const char* kSmall = "[model]\nwidth = 16\nlayers = 1\nattention_heads = 1\n[train]\nepochs_max = 2\nbatch_positions = 64\n";

struct Evaluated {
  TestFolder folder;
  std::atomic<bool> stop{false};
  explicit Evaluated(const std::string& name) : folder("evaluate_" + name) {}
  EvaluateRequest request(const std::string& config = kSmall) const {
    EvaluateRequest out;
    out.config_file = folder.file("model.toml", config);
    out.out = folder.path + "/out";
    out.threads = 2;
    out.quiet = true;
    return out;
  }
  base::Result<base::Json> of(const std::string& lines) { return evaluate_file(folder.file("sequences.txt", lines), request(), stop); }
};

std::string some_lines(int customers = 40) {
  std::string out;
  for (int c = 0; c < customers; ++c) {
    out += std::to_string(1000 + c * 7);  // ids with gaps
    for (int i = 0; i < 5 + c % 3; ++i) {
      out += " " + std::to_string(((c + i) % 11 + 1) * 1'000'003);
    }
    out += "\n";
  }
  return out;
}

TEST(EvaluateFile, PlainAndGzipWriteTheSameReport) {
  // The public files come compressed; unpacking them by hand must not be needed.
  Evaluated work("gzip");
  const auto plain = work.of(some_lines());
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ((*plain)["exit"], 0);
  EXPECT_EQ((*plain)["config"]["items"], 11);
  const auto report = base::parse_json(bytes_of(work.folder.path + "/out/report.json")).value();
  EXPECT_EQ(report["mean"], (*plain)["mean"]);
  EXPECT_TRUE(report["floors"]["popular_7d"].is_null());
  EXPECT_NE(bytes_of(work.folder.path + "/out/report.html").find("<svg"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(work.folder.path + "/out/seed-1.safetensors"));
  const auto packed = evaluate_file(work.folder.file("sequences.gz", gzip(some_lines())), work.request(), work.stop);
  ASSERT_TRUE(packed.ok()) << packed.error().message;
  EXPECT_EQ((*packed)["mean"], (*plain)["mean"]);
}

TEST(EvaluateFile, BrokenLinesAreNamedAndTheRestCounts) {
  // Read as "item 0", or skipped without a word, they would change the figures of everybody.
  Evaluated work("garbage");
  const auto answer = work.of(some_lines() + "hello world 3\n\n9000 1000003 x7 2000006\n1000 1000003\n9001\n9002 -5\n" + std::string("\xff\xfe\x00 1", 5) + "\n");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ((*answer)["exit"], 5);
  EXPECT_EQ((*answer)["rejected"]["count"], 5);
  std::vector<std::int64_t> lines;
  for (const auto& row : (*answer)["rejected"]["lines"]) {
    lines.push_back(row["line"].get<std::int64_t>());
  }
  EXPECT_EQ(lines, (std::vector<std::int64_t>{41, 43, 44, 46, 47}));
  EXPECT_NE((*answer)["rejected"]["lines"][1].dump().find("x7"), std::string::npos);
  EXPECT_NE((*answer)["rejected"]["lines"][2].dump().find("line 1 already"), std::string::npos);
  EXPECT_EQ((*answer)["config"]["too_short_for_a_test"], 1);  // 9001, a user without an item, is a line all the same
  EXPECT_NE(base::string_or(*answer, "text").find("line 43"), std::string::npos);
}

TEST(EvaluateFile, NothingReadableIsAnErrorWithTheFirstReason) {
  // An empty report would be taken for a bad model.
  Evaluated work("nothing");
  const auto words = work.of("alice book pen\n");
  ASSERT_FALSE(words.ok());
  EXPECT_NE(words.error().message.find("line 1"), std::string::npos) << words.error().message;
  EXPECT_FALSE(work.of("").ok());
  const auto absent = evaluate_file(work.folder.path + "/none.txt", work.request(), work.stop);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, base::ErrorCode::kNotFound);
}

TEST(EvaluateFile, HasNoTimesAndSaysSo) {
  // A cut in time over made-up times would measure nothing.
  Evaluated work("times");
  EvaluateRequest request = work.request();
  request.protocol = "next-basket";
  const auto refused = evaluate_file(work.folder.file("s.txt", some_lines()), request, work.stop);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("--shop"), std::string::npos) << refused.error().message;
}

TEST(EvaluateFile, ATypingErrorInTheConfigurationIsNamed) {
  // Ignored, it would leave a default in a figure that somebody publishes.
  Evaluated work("typo");
  const auto run_with = [&](const std::string& config) {
    return evaluate_file(work.folder.file("s.txt", some_lines()), work.request(config), work.stop).error().message;
  };
  const std::string typo = run_with("[model]\nwidht = 16\n");
  EXPECT_NE(typo.find("widht"), std::string::npos) << typo;
  EXPECT_NE(typo.find("width"), std::string::npos) << typo;
  EXPECT_NE(typo.find("model.toml:2"), std::string::npos) << typo;
  const std::string range = run_with("[model]\nwidth = 12\n");
  EXPECT_NE(range.find("multiple of"), std::string::npos) << range;
  EXPECT_NE(run_with("[train]\npatience = 0\n").find("patience"), std::string::npos);
  EXPECT_NE(run_with("[train]\nlearning_rate = \"fast\"\n").find("learning_rate"), std::string::npos);
}

TEST(EvaluateShop, ReadsTheShopsOwnEvents) {
  // Postage is no prediction; lines of one time keep the order of their file.
  const TestShop shop("csv");
  shop.append_config("[model]\nwidth = 16\nlayers = 1\nattention_heads = 1\n[train]\nepochs_max = 2\n");
  std::string config = bytes_of(shop.folder.path + "/beckon.toml");
  const auto catalog = config.find("[catalog]");
  ASSERT_EQ(config.find("services"), std::string::npos);
  if (catalog == std::string::npos) {
    shop.append_config("[catalog]\nservices = [\"POST\"]\n");
  } else {
    config.insert(catalog + 10, "services = [\"POST\"]\n");
    shop.folder.file("beckon.toml", config);
  }
  auto context = shop.open();
  const auto& m = context->config.csv;
  const std::vector<std::string> columns{m.user_id, m.time, m.item, m.order_id, m.event, m.quantity, m.price, m.currency, m.channel,
                                         m.market, m.coupon, m.campaign, m.message_id, m.anonymous_id};
  std::string lines;
  for (const auto& column : columns) {
    lines += column.empty() ? "" : column + ",";
  }
  for (int c = 0; c < 60; ++c) {
    for (int basket = 0; basket < 4; ++basket) {
      for (const std::string& item : {"i" + std::to_string((c + basket) % 9), std::string("POST"), "i" + std::to_string((c + basket + 3) % 9)}) {
        const std::vector<std::string> values{"u" + std::to_string(c), "2026-01-" + std::to_string(10 + basket * 5) + " 10:00", item,
                                              "o" + std::to_string(c * 10 + basket), "purchase", "1", "9.90"};
        lines += "\n";
        for (std::size_t i = 0; i < columns.size(); ++i) {
          lines += columns[i].empty() ? "" : (i < values.size() ? values[i] : "") + ",";
        }
      }
    }
  }
  const auto counts = ingest_ok(*context, {shop.folder.file("events.csv", lines)});
  ASSERT_EQ(counts["rejected"], 0) << counts.dump();
  EvaluateRequest request;
  request.protocol = "next-basket";
  request.split_time = "2026-01-24";
  request.out = shop.folder.path + "/out";
  request.quiet = true;
  request.threads = 1;
  const auto answer = evaluate_shop(*context, request);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ((*answer)["config"]["test_customers"], 60);
  EXPECT_EQ((*answer)["config"]["items"], 9);
  EXPECT_EQ((*answer)["config"]["steps"], 60 * 4 * 2);
  EXPECT_TRUE((*answer)["mean"]["test"].contains("recall@10"));
  EXPECT_TRUE((*answer)["floors"]["popular_7d"].is_object());
  for (const char* protocol : {"gts", "loo"}) {
    request.protocol = protocol;
    const auto other = evaluate_shop(*context, request);
    ASSERT_TRUE(other.ok()) << other.error().message;
    EXPECT_FALSE((*other)["mean"]["test"].contains("recall@10"));
  }
}

}  // namespace
}  // namespace beckon::engine
