#include "backends/cpu/isa/isa.h"

#include <array>
#include <string>

#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr std::array kAll = {Isa::generic, Isa::avx2, Isa::avx512, Isa::avx512_bf16};

// The compiler's detection asks the processor and, for the wide registers, whether the operating system saves them.
bool runs_here(Isa isa) {
  if (isa == Isa::generic) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  switch (isa) {
    case Isa::generic: return true;
    case Isa::avx2: return avx2;
    case Isa::avx512: return avx512;
    case Isa::avx512_bf16:
      return avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  }
#endif
  return false;
}

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::generic: return "generic";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512_bf16: return "avx512_bf16";
  }
  return "?";
}

Isa best_isa() {
  Isa best = Isa::generic;
  for (Isa isa : kAll)
    if (runs_here(isa)) best = isa;
  return best;
}

Isa parse_isa(std::string_view name) {
  if (name == "auto") return best_isa();
  for (Isa isa : kAll) {
    if (name != name_of(isa)) continue;
    if (runs_here(isa)) return isa;
    throw Error(ErrorKind::unsupported, "isa '" + std::string(name) + "': this processor cannot run it; its best is '" +
                                            std::string(name_of(best_isa())) + "' (or use 'auto')");
  }
  std::string known = "auto";
  for (Isa isa : kAll) known += ", " + std::string(name_of(isa));
  throw Error(ErrorKind::unsupported, "isa '" + std::string(name) + "' is unknown; choose one of " + known);
}

}  // namespace yanrt::cpu
