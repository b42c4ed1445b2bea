#include "testing/isa/emulated_instructions.h"
#define __AVX512F__ 1
#define YANRT_ISA isa_emulated_avx512
#include "backends/cpu/isa/unit.h"
