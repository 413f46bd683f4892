#pragma once
// One process holds a shop. It listens on a Unix socket in the shop folder, so that commands which only read or stop reach it.

#include <functional>
#include <memory>
#include <string>

#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::engine {

/// What a caller asks of the holder, and the answer: {"exit": code, …}.
using Handler = std::function<base::Json(const base::Json& request)>;

class Holder {
 public:
  /// Takes the lock of the folder; unavailable with pid and command of the holder when it is taken.
  static base::Result<std::unique_ptr<Holder>> take(const std::string& folder, const std::string& command);
  ~Holder();
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  /// Starts answering on FOLDER/beckon.sock, in a thread of its own. The handler must be thread-safe beside the main work.
  base::Status listen(Handler handler);
  void stop_listening();

 private:
  struct State;
  explicit Holder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Asks the process that holds the folder. not_found when nobody listens there.
base::Result<base::Json> ask_holder(const std::string& folder, const base::Json& request);

}  // namespace beckon::engine
