#pragma once
// Private to engine: what a message looks like when it leaves, for send, test and preview.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beckon/compose/compose.h"
#include "beckon/deliver/deliver.h"
#include "beckon/engine/engine.h"

namespace beckon::engine {

struct RenderParts {
  const Context* context = nullptr;
  const catalog::Campaign* campaign = nullptr;
  const catalog::Template* bank = nullptr;
};
struct RenderFacts {
  const events::Delivery* delivery = nullptr;
  const catalog::Item* item = nullptr;
};

/// One JSON line: id, to, channel, subject, body, link, offer. docs/formats/outbox.md.
base::Result<std::string> render_payload(const RenderParts& parts, const privacy::Permit<privacy::Purpose::kMarketing>& permit,
                                         const RenderFacts& facts, const std::pair<const store::Profile*, std::string>& profile_and_to);

/// Every chosen message of a plan as it would leave now, with the pseudonym in place of the recipient; ghost picks are left out.
base::Result<std::vector<base::Json>> render_all(Context& context, const decide::PlanFile& file, const catalog::Campaign& campaign);

/// The transport that beckon.toml names for the channel.
base::Result<std::unique_ptr<deliver::Transport>> open_transport(Context& context, const catalog::Channel& channel);

}  // namespace beckon::engine
