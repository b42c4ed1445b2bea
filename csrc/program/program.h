// A package in memory: plain structs, const after reading. Written by program/reader.cpp, checked by
// program/verifier.cpp, printed by program/dump.cpp. The format is docs/package.md.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/ops.h"
#include "core/shape.h"
#include "program/attrs.h"

namespace yanrt {

// A tensor of the file. `data` points into the mapped file.
struct StoredTensor {
  std::string name;
  DType dtype = DType::f32;  // as stored
  Dims shape;
  std::span<const std::byte> data;
  std::string scale;  // name of the per-output-channel scales, for f8e4m3
  // Of a weight: the largest magnitude of what it multiplies, found by calibration; precisions that quantise
  // activations then take it for every row. 0: not known, and each row takes its own.
  float input_peak = 0;
  uint32_t crc32c = 0;
};

enum class StateKind : uint8_t { exact, compute };

struct StateDef {
  std::string name;
  DType dtype = DType::f32;
  Dims shape;
  StateKind kind = StateKind::exact;
  std::string init;      // tensor to start from; empty = zeros
  bool is_seed = false;  // takes the session's seed at reset
};

// Where a value comes from.
enum class ValueSource : uint8_t { op, input, tensor, state };

struct Value {
  DType dtype = DType::f32;
  Dims shape;
  ValueSource source = ValueSource::op;
  std::string name;  // of the tensor or the state
};

struct OpNode {
  const OpDef* def = nullptr;
  std::vector<int> inputs;  // indices of values; -1 = absent
  std::vector<int> outputs;
  Attrs attrs;
  std::string source;  // where in the model it came from; for dumps and profiles
};

struct NamedValue {
  std::string name;
  int value = -1;
};

struct Program {
  std::string name;
  std::vector<Value> values;
  std::vector<OpNode> ops;  // in execution order
  std::vector<NamedValue> inputs;
  std::vector<NamedValue> outputs;
  std::vector<NamedValue> updates;  // state name <- value
};

struct SlotBinding {
  std::string port;  // name of the program's input or output
  std::string slot;
};

struct Phase {
  std::string name;
  std::string program;
  std::vector<SlotBinding> inputs;
  std::vector<SlotBinding> outputs;
};

struct Schedule {
  std::string name;
  int delay = 0;
  std::vector<Phase> on_step;
  std::vector<Phase> on_append;
  std::vector<Phase> on_encode;
};

struct ActionButton {
  std::string name;
  std::string key;  // W3C event.code
};

class MappedFile;

struct Package {
  std::string path;
  std::string name;
  double fps = 0;
  int height = 0, width = 0, temporal_factor = 1;
  int batch = 1;
  std::vector<ActionButton> buttons;
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, StateDef> states;
  std::map<std::string, Program> programs;
  std::map<std::string, Schedule> schedules;
  std::string start_latents, start_actions;  // tensor names; empty = none
  std::string manifest;                      // the JSON text, for tools
  std::shared_ptr<const MappedFile> file;    // keeps the data of the tensors alive
};

}  // namespace yanrt
