// A program made static for one precision: views resolved, dtypes chosen, every operand placed. Built at load by
// plan_builder.cpp, placed by memory_planner.cpp, turned into kernels by a backend; read-only afterwards.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "program/program.h"

namespace yanrt {

// The block of memory an operand lies in.
enum class Arena : uint8_t {
  absent,     // optional operand, not given
  constant,   // a tensor of the package
  input,      // program input `index`
  output,     // program output `index`
  state,      // a session's state, at its offset in StateLayout
  pending,    // new value of state that is published after the call
  workspace,  // buffer `index` of Plan::buffers
};

struct Operand {
  Arena arena = Arena::absent;
  int index = 0;      // meaning depends on the arena
  size_t offset = 0;  // bytes from the start of the tensor (views), or from the arena's start (state, pending)
  const StoredTensor* tensor = nullptr;  // Arena::constant
  TensorDesc desc;
};

// Work on an op's only result that its kernel does as it writes it (fuse_stores.h). The result is a matrix, as wide as
// its last dimension: element (r, c) goes to the sum of an offset of its row and one of its column.
struct Store {
  struct Axes {
    Dims shape, strides;  // row-major; in elements of the output
  };
  TensorDesc result;              // what the op itself computes, dense
  const OpNode* chain = nullptr;  // a `pointwise` of this one operand that makes the elements of the output; null: none
  DType dtype = DType::f32;       // of the output
  Axes rows, columns;
};

struct PlannedOp {
  const OpNode* node = nullptr;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  std::optional<Store> store;
};

// A temporary: alive from the op that writes it to the last one that reads it.
struct WorkspaceBuffer {
  size_t bytes = 0;
  // Set by the memory planner:
  int first = -1, last = -1;  // indices of ops; nobody may use it
  size_t offset = 0;
};

// Bytes of the pending value that replace a state when the call is published.
struct StateUpdate {
  size_t pending = 0, state = 0, bytes = 0;
};

struct PlannedPort {
  std::string name;
  TensorDesc desc;
};

struct Plan {
  const Program* program = nullptr;
  std::deque<OpNode> inserted;  // copies the builder added; a deque keeps their addresses
  std::vector<PlannedOp> ops;
  std::vector<WorkspaceBuffer> buffers;
  std::vector<StateUpdate> updates;
  std::vector<PlannedPort> inputs, outputs;
  size_t workspace_bytes = 0;
};

// Where each state of a package lies in a session's block: the states, then the pending values.
struct StateLayout {
  struct Entry {
    const StateDef* def = nullptr;
    DType stored = DType::f32;
    size_t offset = 0;   // in the state arena
    size_t pending = 0;  // in the pending arena
    size_t bytes = 0;
  };
  std::map<std::string, Entry> entries;
  size_t state_bytes = 0, pending_bytes = 0;
};

inline constexpr size_t kAlignment = 64;
constexpr size_t align_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace yanrt
