// Compiled with AVX-512 F, BW, VL, DQ, BF16, VNNI and AMX TILE, BF16, INT8.
#if defined(__x86_64__)
#define YANRT_ISA isa_amx
#define YANRT_BASE_ISA isa_avx512_bf16
#include "backends/cpu/isa/unit_gemm.h"
#endif
