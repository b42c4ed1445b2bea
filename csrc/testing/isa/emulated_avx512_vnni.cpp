#include "testing/isa/emulated_instructions.h"
#define __AVX512F__ 1
#define __AVX512VNNI__ 1
#define YANRT_ISA isa_emulated_avx512_vnni
#define YANRT_BASE_ISA isa_emulated_avx512
#include "backends/cpu/isa/unit_gemm.h"
