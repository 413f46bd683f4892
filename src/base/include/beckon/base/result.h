#pragma once
// Result<T>: a value or an Error from the closed list of codes. Exceptions never cross a library's border.

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "beckon/base/check.h"

namespace beckon::base {

/// Closed list. Each code has one HTTP status, one exit code and one retry rule: see error_traits().
enum class ErrorCode {
  kInvalidArgument,
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kResourceExhausted,
  kFailedPrecondition,
  kUnavailable,
  kDeadlineExceeded,
  kDataLoss,
  kInternal,
};

/// What an error means to callers of the program. Exit codes: 1 our own fault or lost data, 2 usage,
/// 3 bad input, 4 environment, 5 partial success (never from an Error).
struct ErrorTraits {
  std::string_view name;
  int http_status;
  int exit_code;
  bool retryable;
};
const ErrorTraits& error_traits(ErrorCode code);

/// `message` says what, where and how to mend it, in one line, without personal data.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  /// The same error with `where: ` in front of the message.
  Error at(std::string_view where) const { return {code, std::string(where) + ": " + message}; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  const T& value() const& {
    BECKON_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T& value() & {
    BECKON_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    BECKON_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const& {
    BECKON_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  T value_or(T fallback) const& { return ok() ? value() : std::move(fallback); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok_status() { return std::monostate{}; }

inline Error invalid_argument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error failed_precondition(std::string message) {
  return {ErrorCode::kFailedPrecondition, std::move(message)};
}
inline Error unavailable(std::string message) { return {ErrorCode::kUnavailable, std::move(message)}; }
inline Error data_loss(std::string message) { return {ErrorCode::kDataLoss, std::move(message)}; }
inline Error internal_error(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

}  // namespace beckon::base

#define BECKON_CONCAT_(a, b) a##b
#define BECKON_CONCAT(a, b) BECKON_CONCAT_(a, b)

// BECKON_TRY(auto x, f());  hands an Error of f() to the caller, else binds its value.
#define BECKON_TRY_IMPL(declaration, expression, temporary) \
  auto temporary = (expression);                            \
  if (!temporary.ok()) {                                    \
    return temporary.error();                               \
  }                                                         \
  declaration = std::move(temporary).value()
#define BECKON_TRY(declaration, expression) \
  BECKON_TRY_IMPL(declaration, expression, BECKON_CONCAT(beckon_try_, __COUNTER__))

// BECKON_TRY_STATUS(f());  the same where the value is not needed.
#define BECKON_TRY_STATUS(expression)                            \
  do {                                                           \
    if (auto beckon_status = (expression); !beckon_status.ok()) { \
      return beckon_status.error();                              \
    }                                                            \
  } while (false)
