// An erased customer's address could be opened again from a backup or a stolen disk if one of these broke.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <iterator>

#include "beckon/store/people.h"
#include "twin.h"

namespace beckon::store {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<privacy::Pseudonym> customers(int count) {
  std::vector<privacy::Pseudonym> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(test_ring().pseudonym("user" + std::to_string(i)));
  }
  return out;
}

// Wrapped keys by customer, read from a copy: the open file must have one connection only.
std::map<std::string, std::string> wrapped_keys(const std::string& file) {
  const std::string copy = file + ".copy";
  for (const char* suffix : {"", "-wal"}) {
    if (std::filesystem::exists(file + suffix)) {
      std::filesystem::copy_file(file + suffix, copy + suffix, std::filesystem::copy_options::overwrite_existing);
    }
  }
  std::map<std::string, std::string> out;
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(copy.c_str(), &db), SQLITE_OK);
  sqlite3_stmt* all = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, "SELECT customer, wrapped FROM data_key", -1, &all, nullptr), SQLITE_OK);
  const auto blob = [&](int column) {
    return std::string(static_cast<const char*>(sqlite3_column_blob(all, column)), static_cast<std::size_t>(sqlite3_column_bytes(all, column)));
  };
  while (sqlite3_step(all) == SQLITE_ROW) {
    out[blob(0)] = blob(1);
  }
  sqlite3_finalize(all);
  sqlite3_close(db);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(copy + suffix);
  }
  return out;
}

bool on_disk(const std::string& folder, const std::string& needle) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && bytes_of(entry.path().string()).find(needle) != std::string::npos) {
      return true;
    }
  }
  return false;
}

struct Folder {
  std::string path = test_folder("keys");
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return path + "/keys.sqlite"; }
};

TEST(DataKeys, ACustomerKeepsHisKeyAcrossRestarts) {
  // A second key would close every address that the first one sealed.
  const Folder folder;
  const auto everybody = customers(50);
  std::vector<std::string> first;
  {
    auto keys = open_data_keys(folder.file(), test_ring()).value();
    const std::vector<privacy::Pseudonym> twice{everybody[0], everybody[0]};
    const auto same = keys->get_or_make(twice).value();
    EXPECT_EQ(same[0], same[1]);
    first = keys->get_or_make(everybody).value();
    EXPECT_EQ(first[0], same[0]);
    EXPECT_EQ(first[0].size(), 32U);
    EXPECT_NE(first[0], first[1]);
  }
  auto keys = open_data_keys(folder.file(), test_ring()).value();
  EXPECT_EQ(keys->get_or_make(everybody).value(), first);
  EXPECT_EQ(keys->find(everybody[7])->value(), first[7]);
  EXPECT_FALSE(keys->find(test_ring().pseudonym("nobody"))->has_value());
}

TEST(DataKeys, AnErasedKeyIsGoneFromTheBytesOfTheFile) {
  // Deleted but still in a free page or in the log, it would open the customer's fields in every old copy.
  const Folder folder;
  const auto everybody = customers(600);
  auto keys = open_data_keys(folder.file(), test_ring()).value();
  ASSERT_TRUE(keys->get_or_make(everybody).ok());
  const auto wrapped = wrapped_keys(folder.file());
  ASSERT_EQ(wrapped.size(), everybody.size());
  for (std::size_t i = 0; i < everybody.size(); i += 3) {
    const std::string& secret = wrapped.at(everybody[i].bytes());
    ASSERT_TRUE(i > 9 || on_disk(folder.path, secret));  // or the search itself would be blind
    ASSERT_TRUE(keys->erase(everybody[i]).ok());
    EXPECT_FALSE(keys->find(everybody[i])->has_value());
    ASSERT_FALSE(on_disk(folder.path, secret)) << "customer " << i;
  }
  EXPECT_TRUE(on_disk(folder.path, wrapped.at(everybody[1].bytes())));
  EXPECT_TRUE(keys->find(everybody[1])->has_value());
  EXPECT_TRUE(keys->erase(everybody[0]).ok());  // again: nothing happens
  keys.reset();
  for (std::size_t i = 0; i < everybody.size(); i += 3) {
    EXPECT_FALSE(on_disk(folder.path, wrapped.at(everybody[i].bytes())));
  }
}

TEST(DataKeys, AnotherShopsKeyOpensNothing) {
  // A stolen file of data keys without the shop's key must be worth nothing.
  const Folder folder;
  const auto everybody = customers(3);
  const auto plain = open_data_keys(folder.file(), test_ring()).value()->get_or_make(everybody).value();
  EXPECT_FALSE(on_disk(folder.path, plain[0]));
  const auto stranger = privacy::KeyRing::make(std::string(32, 'x'), 1).value();
  auto keys = open_data_keys(folder.file(), stranger).value();
  EXPECT_EQ(keys->find(everybody[0]).error().code, base::ErrorCode::kDataLoss);
  const std::vector<privacy::Pseudonym> asked{test_ring().pseudonym("new"), everybody[1]};
  EXPECT_FALSE(keys->get_or_make(asked).ok());
  EXPECT_FALSE(keys->find(asked[0])->has_value());  // the transaction that failed left nothing behind
  keys.reset();
  EXPECT_EQ(open_data_keys(folder.file(), test_ring()).value()->find(everybody[0])->value(), plain[0]);
}

TEST(DataKeys, AFileThatIsNoDatabaseIsRefused) {
  // Overwritten in silence, every customer's key would be lost.
  const Folder folder;
  std::ofstream(folder.file()) << std::string(5000, 'j');
  EXPECT_EQ(open_data_keys(folder.file(), test_ring()).error().code, base::ErrorCode::kDataLoss);
  EXPECT_EQ(open_data_keys(folder.path + "/no/such/keys", test_ring()).error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(bytes_of(folder.file()), std::string(5000, 'j'));
}

}  // namespace
}  // namespace beckon::store
