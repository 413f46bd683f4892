#include "beckon/engine/engine.h"

namespace beckon::engine {

base::Json answer_request(Context& context, const base::Json& request) {
  const std::string command = base::string_or(request, "command");
  base::Result<base::Json> result = base::Error{base::ErrorCode::kUnavailable, "the shop is held by a running command; '" + command +
                                                                                   "' is not among those that can go through it"};
  if (command == "doctor") {
    result = doctor(context);
  } else if (command == "report") {
    result = report(context, {base::string_or(request, "campaign"), base::string_or(request, "html")});
  } else if (command == "finance") {
    result = finance(context, {base::string_or(request, "month"), false, base::string_or(request, "csv"), base::string_or(request, "html")});
  } else if (command == "explain") {
    result = explain(context, base::string_or(request, "customer"), base::string_or(request, "campaign"));
  } else if (command == "deliveries") {
    result = deliveries(context, base::string_or(request, "state"), base::string_or(request, "campaign"));
  } else if (command == "send-control") {
    result = control_send(context, base::string_or(request, "campaign"), base::string_or(request, "action"));
  }
  if (result.ok()) {
    return *result;
  }
  return {{"error", result.error().message}, {"exit", base::error_traits(result.error().code).exit_code}};
}

}  // namespace beckon::engine
