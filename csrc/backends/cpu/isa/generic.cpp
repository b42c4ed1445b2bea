// Baseline instructions of the platform.
#define YANRT_ISA isa_generic
#include "backends/cpu/isa/unit.h"
