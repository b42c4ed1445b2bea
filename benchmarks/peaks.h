// What one core can do, measured: the ceilings beside which the benchmarks print their figures.
#pragma once

#include "backends/cpu/isa/isa.h"
#include "core/precision.h"

namespace yanrt::cpu::bench {

// Processor time of this thread.
double processor_seconds();
// Operations a second of the instruction that multiplies in `precision`, from a loop of registers alone; a product and
// its addition are two.
double peak_flops(Isa isa, Precision precision);
// Bytes a second that one core reads from memory.
double peak_bytes();

}  // namespace yanrt::cpu::bench
