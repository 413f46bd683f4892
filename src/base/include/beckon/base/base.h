#pragma once
// Ground floor: what every library needs. Include this one, or a single header of it.
//
//   result.h      Result<T>, Error, the closed ErrorCode list, BECKON_TRY
//   check.h       BECKON_CHECK: our own faults stop the program in every build
//   ids.h         strong text ids
//   money.h       exact money
//   clock.h       instants, clocks, zones
//   rng.h         counter-based random streams, stable_hash
//   filesystem.h  the disk behind an interface, with an in-memory twin
//   executor.h    tasks on threads, and a seeded single-threaded twin
//   codec.h       varints, CRC-32C, hex, base64
//   csv.h         records of comma- and tab-separated files
//   toml.h        configuration with unknown-key detection
//   log.h, metrics.h, progress.h
//   json.h        is not included here: it is heavy; include it where JSON is made

#include "beckon/base/check.h"
#include "beckon/base/clock.h"
#include "beckon/base/codec.h"
#include "beckon/base/csv.h"
#include "beckon/base/executor.h"
#include "beckon/base/filesystem.h"
#include "beckon/base/ids.h"
#include "beckon/base/log.h"
#include "beckon/base/metrics.h"
#include "beckon/base/money.h"
#include "beckon/base/progress.h"
#include "beckon/base/result.h"
#include "beckon/base/rng.h"
#include "beckon/base/toml.h"
