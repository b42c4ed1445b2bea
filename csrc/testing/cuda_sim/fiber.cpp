#include "testing/cuda_sim/fiber.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

// void switch_context(void** save, void* restore): pushes the callee-saved registers, swaps stacks, pops the others'.
extern "C" void yanrt_cuda_sim_switch(void** save, void* restore);

#if defined(__x86_64__)
asm(R"(.text
.globl yanrt_cuda_sim_switch
.hidden yanrt_cuda_sim_switch
.type yanrt_cuda_sim_switch,@function
yanrt_cuda_sim_switch:
 pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
 movq %rsp,(%rdi)
 movq %rsi,%rsp
 popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
 ret
.size yanrt_cuda_sim_switch,.-yanrt_cuda_sim_switch
)");
#elif defined(__aarch64__)
asm(R"(.text
.globl yanrt_cuda_sim_switch
.hidden yanrt_cuda_sim_switch
.type yanrt_cuda_sim_switch,%function
yanrt_cuda_sim_switch:
 sub sp,sp,#160
 stp x19,x20,[sp]; stp x21,x22,[sp,#16]; stp x23,x24,[sp,#32]; stp x25,x26,[sp,#48]; stp x27,x28,[sp,#64]
 stp x29,x30,[sp,#80]; stp d8,d9,[sp,#96]; stp d10,d11,[sp,#112]; stp d12,d13,[sp,#128]; stp d14,d15,[sp,#144]
 mov x9,sp; str x9,[x0]; mov sp,x1
 ldp x19,x20,[sp]; ldp x21,x22,[sp,#16]; ldp x23,x24,[sp,#32]; ldp x25,x26,[sp,#48]; ldp x27,x28,[sp,#64]
 ldp x29,x30,[sp,#80]; ldp d8,d9,[sp,#96]; ldp d10,d11,[sp,#112]; ldp d12,d13,[sp,#128]; ldp d14,d15,[sp,#144]
 add sp,sp,#160
 ret
.size yanrt_cuda_sim_switch,.-yanrt_cuda_sim_switch
)");
#else
#error "cuda_sim: write a context switch for this processor"
#endif

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kGuardBytes = 4096;

}  // namespace

Fiber::Fiber() {
  void* memory = mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, kGuardBytes, PROT_NONE);  // an overflow crashes instead of writing into a neighbour
  stack_ = reinterpret_cast<uintptr_t>(memory) + kGuardBytes;
}

Fiber::~Fiber() { munmap(reinterpret_cast<void*>(stack_ - kGuardBytes), kStackBytes + kGuardBytes); }

void Fiber::start(void (*entry)()) {
#if defined(__x86_64__)
  // As if `entry` had been called: a return address slot above it keeps the stack 16-byte aligned.
  auto** top = reinterpret_cast<void**>(stack_ + kStackBytes) - 2;
  top[0] = reinterpret_cast<void*>(entry);
  top[1] = nullptr;
  context_ = top - 6;
#else
  auto** frame = reinterpret_cast<void**>(stack_ + kStackBytes) - 20;
  memset(frame, 0, 160);
  frame[11] = reinterpret_cast<void*>(entry);  // x30, the link register
  context_ = frame;
#endif
}

void Fiber::resume() { yanrt_cuda_sim_switch(&caller_, context_); }
void Fiber::suspend() { yanrt_cuda_sim_switch(&context_, caller_); }

}  // namespace yanrt::cuda_sim
