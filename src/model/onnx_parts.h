#pragma once
// The pieces of an exported network that are more than a product: recurrent layers, time gaps, memory.

#include "memory.h"
#include "onnx_graph.h"

namespace beckon::model::inner {

/// x (batch, length, width) through the recurrent layer `at` ("layers.0."), as one of ONNX's own operators.
std::string onnx_recurrent(OnnxGraph& g, const std::string& x, const std::string& at, Arch arch);

/// (batch, length, length) of int64: time_bucket(request_ms of i - at_ms of j), from the inputs of these names.
std::string onnx_time_buckets(OnnxGraph& g);

/// Logits (batch, tokens) plus what the memory says after `memory_tokens`. e: (batch, width).
std::string onnx_memory(OnnxGraph& g, const Memory& memory, const std::string& e, const std::string& logits);
/// Bytes of its tables.
std::size_t onnx_memory_bytes(const Memory& memory);

}  // namespace beckon::model::inner
