// Compiled with -mavx2 -mfma -mf16c -mavxvnni.
#if defined(__x86_64__)
#define YANRT_ISA isa_avx2_vnni
#define YANRT_BASE_ISA isa_avx2
#include "backends/cpu/isa/unit_gemm.h"
#endif
