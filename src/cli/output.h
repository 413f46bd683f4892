#pragma once
// Private to cli: answers of the engine as text.

#include <string>

#include "beckon/base/json.h"
#include "beckon/base/result.h"

namespace beckon::cli {

/// Nested objects as indented "name  value" lines, lists of objects as aligned tables.
std::string layout(const base::Json& value);
/// Prints `answer` (one JSON line, or laid out) and answers its exit code; the error on stderr otherwise.
int finish(const base::Result<base::Json>& answer, bool json);

}  // namespace beckon::cli
