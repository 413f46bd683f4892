#pragma once
// What the shop has and wants. Value types; functions are thread-safe.
//
//   item.h      Item, its bytes, feeds (Google TSV/XML, CSV with mapping)
//   config.h    beckon.toml: shop, markets, channels, consent, priors
//   campaign.h  Campaign, Offer, Budget: what may be done, with which money
//   template.h  slot texts per channel and language

#include "beckon/catalog/campaign.h"
#include "beckon/catalog/config.h"
#include "beckon/catalog/item.h"
#include "beckon/catalog/template.h"
