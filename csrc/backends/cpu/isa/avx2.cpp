// Compiled with -mavx2 -mfma -mf16c.
#if defined(__x86_64__)
#define YANRT_ISA isa_avx2
#include "backends/cpu/isa/unit.h"
#endif
