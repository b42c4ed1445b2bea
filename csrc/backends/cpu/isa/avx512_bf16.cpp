// Compiled with AVX-512 F, BW, VL, DQ, BF16, VNNI.
#if defined(__x86_64__)
#define YANRT_ISA isa_avx512_bf16
#include "backends/cpu/isa/unit.h"
#endif
