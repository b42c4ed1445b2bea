#include "backends/cpu/isa/loops.h"

namespace yanrt::cpu {

namespace isa_generic {
const Loops& loops();
}
#if defined(__x86_64__)
namespace isa_avx2 {
const Loops& loops();
}
namespace isa_avx512 {
const Loops& loops();
}
namespace isa_avx512_bf16 {
const Loops& loops();
}
#endif

const Loops& loops_for(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2: return isa_avx2::loops();
    case Isa::avx512: return isa_avx512::loops();
    case Isa::avx512_bf16: return isa_avx512_bf16::loops();
#endif
    default: return isa_generic::loops();
  }
}

}  // namespace yanrt::cpu
