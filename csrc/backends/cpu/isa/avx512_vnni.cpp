// Compiled with AVX-512 F, BW, VL, DQ, VNNI.
#if defined(__x86_64__)
#define YANRT_ISA isa_avx512_vnni
#define YANRT_BASE_ISA isa_avx512
#include "backends/cpu/isa/unit_gemm.h"
#endif
