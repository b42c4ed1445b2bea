#include "backends/cpu/isa/loops.h"

// Each unit defines the table of its own.
#define YANRT_UNIT(isa)   \
  namespace isa_##isa {   \
    const Loops& loops(); \
  }

namespace yanrt::cpu {

YANRT_UNIT(generic)
#if defined(__x86_64__)
YANRT_UNIT(avx2)
YANRT_UNIT(avx2_vnni)
YANRT_UNIT(avx512)
YANRT_UNIT(avx512_vnni)
YANRT_UNIT(avx512_bf16)
YANRT_UNIT(amx)
#if defined(YANRT_EMULATED_ISAS)
YANRT_UNIT(emulated_avx2_vnni)
YANRT_UNIT(emulated_avx512)
YANRT_UNIT(emulated_avx512_vnni)
YANRT_UNIT(emulated_avx512_bf16)
YANRT_UNIT(emulated_amx)
#endif
#endif

const Loops& loops_for(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2: return isa_avx2::loops();
    case Isa::avx2_vnni: return isa_avx2_vnni::loops();
    case Isa::avx512: return isa_avx512::loops();
    case Isa::avx512_vnni: return isa_avx512_vnni::loops();
    case Isa::avx512_bf16: return isa_avx512_bf16::loops();
    case Isa::amx: return isa_amx::loops();
#if defined(YANRT_EMULATED_ISAS)
    case Isa::emulated_avx2_vnni: return isa_emulated_avx2_vnni::loops();
    case Isa::emulated_avx512: return isa_emulated_avx512::loops();
    case Isa::emulated_avx512_vnni: return isa_emulated_avx512_vnni::loops();
    case Isa::emulated_avx512_bf16: return isa_emulated_avx512_bf16::loops();
    case Isa::emulated_amx: return isa_emulated_amx::loops();
#endif
#endif
    default: return isa_generic::loops();
  }
}

}  // namespace yanrt::cpu
