#include "testing/isa/emulated_instructions.h"
#define __AVXVNNI__ 1
#define YANRT_ISA isa_emulated_avx2_vnni
#define YANRT_BASE_ISA isa_avx2
#include "backends/cpu/isa/unit_gemm.h"
