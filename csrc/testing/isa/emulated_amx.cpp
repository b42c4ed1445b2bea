#include "testing/isa/emulated_amx.h"
#include "testing/isa/emulated_instructions.h"
#define __AVX512F__ 1
#define __AVX512VNNI__ 1
#define __AVX512BF16__ 1
#define __AMX_BF16__ 1
#define __AMX_INT8__ 1
#define YANRT_ISA isa_emulated_amx
#define YANRT_BASE_ISA isa_emulated_avx512_bf16
#include "backends/cpu/isa/unit_gemm.h"
