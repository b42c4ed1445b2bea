// A stack and a saved context: what a CUDA thread runs on. Switching saves six registers (x86-64) and no signal mask,
// some twenty times faster than swapcontext.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yanrt::cuda_sim {

class Fiber {
 public:
  static constexpr size_t kStackBytes = 128 << 10;

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next resume() calls `entry`, which never returns. Whatever the fiber did before is forgotten.
  void start(void (*entry)());
  // Runs the fiber until it calls suspend().
  void resume();
  // Called on the fiber: goes back to who resumed it.
  void suspend();
  bool owns(uintptr_t address) const { return address - stack_ < kStackBytes; }

 private:
  uintptr_t stack_;
  void* context_ = nullptr;
  void* caller_ = nullptr;
};

}  // namespace yanrt::cuda_sim
