// Compiled with AVX-512 F, BW, VL, DQ.
#if defined(__x86_64__)
#define YANRT_ISA isa_avx512
#include "backends/cpu/isa/unit.h"
#endif
