#pragma once
// A recurrent layer over a packed batch. Sequences are sorted by length, so that at step t those still going on are the first
// ones: all of them take the step in one matrix product, and the rows of a step lie together ("time-major").

#include "layer.h"
#include "linear.h"

namespace beckon::model::inner {

/// The elementwise part of a cell; see beckon/tensor/recurrent.h.
struct Cell {
  const char* name = "";
  std::size_t gates = 1;
  bool has_state = false;           ///< carries c beside h
  bool separate_recurrent = false;  ///< h_before·U + c is not added to the gates: the cell wants it on its own
  void (*forward)(const tensor::CellForward&) = nullptr;
  void (*backward)(const tensor::CellBackward&) = nullptr;
};
const Cell& cell_of(Arch arch);

class RecurrentLayer final : public Layer {
 public:
  struct Shape {
    std::size_t width = 0;
    Cell cell;
    bool dropout = false;  ///< of the output: between stacked layers
  };
  RecurrentLayer(const std::string& at, const Shape& shape, Layout& layout);

  void initialise(std::span<float> weights, base::Rng& rng) const override;
  std::unique_ptr<LayerCache> make_cache() const override;
  bool mixes_rows() const override { return true; }
  void forward(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  void forward_last(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  std::unique_ptr<LayerState> make_state() const override;
  void advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const override;

 private:
  struct Cache;
  struct State;
  void prepare(const LayerPass& io, Cache& cache) const;
  void run_steps(const Network& net, Cache& cache) const;
  void step_back(const LayerPass& io, const Cache& cache, Workspace& work, std::size_t t) const;

  Shape shape_;
  LinearParts input_;      // width × G·width
  LinearParts recurrent_;  // the same; with a bias when `separate_recurrent`
};

}  // namespace beckon::model::inner
