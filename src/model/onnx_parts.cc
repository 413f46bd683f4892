#include "onnx_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "recurrent_layer.h"
#include "time_bucket.h"

namespace beckon::model::inner {
namespace {

using Names = OnnxGraph::Names;

// ONNX wants one row an output and its own order of gates; `name` is ours, whose columns are the gates in our order.
std::string gates(OnnxGraph& g, const std::string& name, const std::vector<std::size_t>& order, std::int64_t width) {
  const bool vector = name.ends_with(".bias");
  const std::string rows = vector ? name : g.transpose(name, {1, 0});
  if (order.size() == 1) {
    return rows;
  }
  const Names parts = g.nodes("Split", {rows, g.integers(std::vector<std::int64_t>(order.size(), width))}, static_cast<int>(order.size()),
                              {onnx_attribute("axis", std::int64_t{0})});
  Names sorted;
  for (const std::size_t gate : order) {
    sorted.push_back(parts[gate]);
  }
  return g.node("Concat", sorted, {onnx_attribute("axis", std::int64_t{0})});
}

// The smallest gap of each bucket, found by asking: bucket b holds gaps from entry b on. A bucket that never occurs begins with the next.
std::vector<std::int64_t> bucket_starts() {
  std::vector<std::int64_t> starts(64, std::numeric_limits<std::int64_t>::max());
  for (std::size_t b = 0; b < kTimeBuckets; ++b) {
    std::int64_t low = 0;
    std::int64_t high = std::int64_t{1} << 52U;  // the last bucket has begun long before
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      (time_bucket(middle) >= b ? high : low) = time_bucket(middle) >= b ? middle : middle + 1;
    }
    starts[b] = low;
  }
  return starts;
}

float at(double value) { return static_cast<float>(value); }

}  // namespace

std::string onnx_recurrent(OnnxGraph& g, const std::string& x, const std::string& at, Arch arch) {
  const Cell& cell = cell_of(arch);
  const std::string name = at + cell.name;
  const auto width = static_cast<std::int64_t>(g.part(name + ".input.weight").rows);
  // Ours: gru r z n, lstm in forget cell out. ONNX: GRU z r h, LSTM in out forget cell.
  const std::vector<std::size_t> order = arch == Arch::kLstm  ? std::vector<std::size_t>{0, 3, 1, 2}
                                         : arch == Arch::kGru ? std::vector<std::size_t>{1, 0, 2}
                                                              : std::vector<std::size_t>{0};
  const std::string one_direction = g.integers({0});
  const auto directed = [&](const std::string& value) { return g.node("Unsqueeze", {value, one_direction}); };
  const std::string recurrent_bias = g.has(name + ".recurrent.bias") ? gates(g, name + ".recurrent.bias", order, width)
                                                                     : g.numbers(std::vector<float>(order.size() * static_cast<std::size_t>(width), 0.0F));
  const std::string bias = g.node("Concat", {gates(g, name + ".input.bias", order, width), recurrent_bias}, {onnx_attribute("axis", std::int64_t{0})});
  Names attributes{onnx_attribute("hidden_size", width)};
  if (arch == Arch::kGru) {
    attributes.push_back(onnx_attribute("linear_before_reset", std::int64_t{1}));
  }
  const char* type = arch == Arch::kLstm ? "LSTM" : arch == Arch::kGru ? "GRU" : "RNN";
  // Without lengths: steps behind a row's end are computed and never looked at.
  const std::string y = g.node(type, {g.transpose(x, {1, 0, 2}), directed(gates(g, name + ".input.weight", order, width)),
                                      directed(gates(g, name + ".recurrent.weight", order, width)), directed(bias)}, attributes);
  return g.transpose(g.node("Squeeze", {y, g.integers({1})}), {1, 0, 2});
}

std::string onnx_time_buckets(OnnxGraph& g) {
  const std::string gap = g.node("Sub", {g.node("Unsqueeze", {"request_ms", g.integers({2})}), g.node("Unsqueeze", {"at_ms", g.integers({1})})});
  const std::string starts = g.integers(bucket_starts());
  const std::string zero = g.scalar(0);
  // Halving finds the last bucket that begins at or below the gap; sums of floats could miss it near an edge.
  std::string bucket = g.node("Mul", {gap, zero});
  for (std::int64_t step = 32; step > 0; step /= 2) {
    const std::string next = g.node("Add", {bucket, g.scalar(step)});
    bucket = g.node("Where", {g.node("GreaterOrEqual", {gap, g.gather(starts, next)}), next, bucket});
  }
  return bucket;
}

std::size_t onnx_memory_bytes(const Memory& memory) {
  return memory.table().row_size.size() * 16 + memory.table().token.size() * 8;
}

namespace {

// (batch, kLastTokens × longest row): whom to credit, and with how much.
struct Credit {
  std::string token;
  std::string share;
};

Credit credits(OnnxGraph& g, const Memory::Table& table) {
  std::vector<std::int32_t> sizes = table.row_size;
  sizes[0] = 0;  // an unknown token recalls nothing
  std::vector<std::int64_t> starts(sizes.size(), 0);
  std::partial_sum(table.row_size.begin(), table.row_size.end() - 1, starts.begin() + 1, [](std::int64_t sum, std::int32_t size) { return sum + size; });
  std::vector<std::int32_t> followers = table.token;
  std::vector<float> counts = table.count;
  followers.push_back(0);  // for those who have none
  counts.push_back(0);
  std::vector<float> older(kLastTokens);
  for (std::size_t back = 0; back < kLastTokens; ++back) {
    older[kLastTokens - 1 - back] = at(std::pow(kOlderTokenWeight, static_cast<double>(back)));
  }
  std::vector<std::int32_t> places(static_cast<std::size_t>(std::max(*std::ranges::max_element(sizes), 1)));
  std::iota(places.begin(), places.end(), 0);

  const std::string axis = g.integers({1});
  const std::string end = g.integers({std::numeric_limits<std::int32_t>::max()});
  // Five zeros in front, so that there are always five.
  const std::string wide = g.node("Pad", {"memory_tokens", g.integers({0, kLastTokens, 0, 0})});
  const std::string last = g.node("Slice", {wide, g.integers({-static_cast<std::int64_t>(kLastTokens)}), end, axis});
  const std::string size = g.node("Unsqueeze", {g.gather(g.small_integers(sizes), last), g.integers({2})});
  const std::string start = g.node("Unsqueeze", {g.gather(g.integers(starts), last), g.integers({2})});
  const std::string place = g.small_integers(places);
  const std::string there = g.node("Less", {place, size});
  const std::string index = g.node("Where", {there, g.node("Add", {start, g.cast(place, kOnnxInt64)}), g.scalar(static_cast<std::int64_t>(counts.size()) - 1)});
  const std::string total = g.node("Add", {g.gather(g.numbers(table.total), last), g.number(at(kSmoothing))});
  const std::string weight = g.node("Unsqueeze", {g.node("Div", {g.numbers(older), total}), g.integers({2})});
  const std::string share = g.node("Mul", {g.gather(g.numbers(counts), index), weight});
  const std::string flat = g.integers({0, -1});
  return {g.node("Reshape", {g.gather(g.small_integers(followers), index), flat}), g.node("Reshape", {share, flat})};
}

std::string scatter(OnnxGraph& g, const std::string& onto, const Credit& credit, const std::string& how) {
  base::ProtoWriter reduction;
  reduction.bytes(1, "reduction");
  reduction.bytes(4, how);
  reduction.integer(20, 3);  // a string
  return g.node("ScatterElements", {onto, credit.token, credit.share}, {onnx_attribute("axis", std::int64_t{1}), reduction.view()});
}

// log(1 + x·scale) · factor: the features' logarithms.
std::string log_scale(OnnxGraph& g, const std::string& x, double scale, double factor) {
  const std::string inside = g.node("Add", {g.node("Mul", {x, g.number(at(scale))}), g.number(1)});
  return g.node("Mul", {g.node("Log", {inside}), g.number(at(factor))});
}

// For the history's own tokens: 1 for each time, and 1/√(positions ago + 1).
std::pair<Credit, Credit> own_tokens(OnnxGraph& g) {
  const std::string axis = g.integers({1});
  const std::string own = g.node("Slice", {"memory_tokens", g.integers({-static_cast<std::int64_t>(kOwnPositions)}),
                                           g.integers({std::numeric_limits<std::int32_t>::max()}), axis});
  const std::string known = g.cast(g.node("Greater", {own, g.scalar(0)}), kOnnxFloat);
  const std::string length = g.gather(g.node("Shape", {own}), g.scalar(1));
  const std::string ago = g.node("Sub", {length, g.node("Range", {g.scalar(0), length, g.scalar(1)})});  // length … 1
  const std::string recency = g.node("Reciprocal", {g.node("Sqrt", {g.cast(ago, kOnnxFloat)})});
  return {{own, known}, {own, g.node("Mul", {known, recency})}};
}

}  // namespace

std::string onnx_memory(OnnxGraph& g, const Memory& memory, const std::string& e, const std::string& logits) {
  const std::string nothing = g.node("ConstantOfShape", {g.node("Shape", {logits})});
  const auto [times, recency] = own_tokens(g);
  const std::string followed = log_scale(g, scatter(g, nothing, credits(g, memory.table()), "add"), 1 / kSmallestShare, 1 / std::log1p(1 / kSmallestShare));
  const std::string often = log_scale(g, scatter(g, nothing, times, "add"), 1, 1 / std::log1p(kOftenTimes));
  const Names features{followed, g.node("Min", {often, g.number(1)}), scatter(g, nothing, recency, "max")};
  const std::string gate = g.node("Add", {g.node("MatMul", {e, "memory.gate"}), "memory.gate_bias"});
  const Names each = g.nodes("Split", {gate, g.integers({1, 1, 1})}, static_cast<int>(kMemoryFeatures), {onnx_attribute("axis", std::int64_t{1})});
  std::string sum = logits;
  for (std::size_t k = 0; k < kMemoryFeatures; ++k) {
    sum = g.node("Add", {sum, g.node("Mul", {each[k], features[k]})});
  }
  return sum;
}

}  // namespace beckon::model::inner
