#include "backends/cpu/isa/isa.h"

#include <array>
#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/error.h"

namespace yanrt::cpu {
namespace {

struct Entry {
  Isa isa;
  std::string_view name;
};

constexpr std::array kBuilt = {
    Entry{Isa::generic, "generic"},
    Entry{Isa::avx2, "avx2"},
    Entry{Isa::avx2_vnni, "avx2_vnni"},
    Entry{Isa::avx512, "avx512"},
    Entry{Isa::avx512_vnni, "avx512_vnni"},
    Entry{Isa::avx512_bf16, "avx512_bf16"},
    Entry{Isa::amx, "amx"},
#if defined(YANRT_EMULATED_ISAS)
    Entry{Isa::emulated_avx2_vnni, "emulated_avx2_vnni"},
    Entry{Isa::emulated_avx512, "emulated_avx512"},
    Entry{Isa::emulated_avx512_vnni, "emulated_avx512_vnni"},
    Entry{Isa::emulated_avx512_bf16, "emulated_avx512_bf16"},
    Entry{Isa::emulated_amx, "emulated_amx"},
#endif
};

bool is_emulated(Isa isa) { return isa >= Isa::emulated_avx2_vnni; }

// Adds the name of a feature to `missing` unless it is there.
void require(bool has, std::string_view feature, std::string& missing) {
  if (!has) missing += (missing.empty() ? "" : ", ") + std::string(feature);
}

#if defined(__x86_64__)
// The tile registers take 8 KiB of every thread's state, and Linux wants to be asked for them, once a process.
bool system_grants_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
#else
  return false;
#endif
}

void require_amx(std::string& missing) {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  __get_cpuid_count(7, 0, &a, &b, &c, &d);
  const bool tile = d >> 24 & 1;
  require(tile, "AMX-TILE", missing);
  require(d >> 22 & 1, "AMX-BF16", missing);
  require(d >> 25 & 1, "AMX-INT8", missing);
  require(!tile || system_grants_tiles(), "the operating system's leave to use AMX", missing);
}
#endif

}  // namespace

std::string_view name_of(Isa isa) {
  for (const Entry& entry : kBuilt)
    if (entry.isa == isa) return entry.name;
  return "?";
}

std::vector<Isa> built_isas() {
  std::vector<Isa> isas;
  for (const Entry& entry : kBuilt) isas.push_back(entry.isa);
  return isas;
}

// The compiler's detection asks the processor and, for the wide registers, whether the operating system saves them.
std::string missing_features(Isa isa) {
  std::string missing;
  if (isa == Isa::generic) return missing;
#if defined(__x86_64__)
  __builtin_cpu_init();
  require(__builtin_cpu_supports("avx2"), "AVX2", missing);
  require(__builtin_cpu_supports("fma"), "FMA", missing);
  require(__builtin_cpu_supports("f16c"), "F16C", missing);
  if (isa == Isa::avx2_vnni) require(__builtin_cpu_supports("avxvnni"), "AVX-VNNI", missing);
  if (isa < Isa::avx512 || is_emulated(isa)) return missing;
  require(__builtin_cpu_supports("avx512f"), "AVX512F", missing);
  require(__builtin_cpu_supports("avx512bw"), "AVX512BW", missing);
  require(__builtin_cpu_supports("avx512vl"), "AVX512VL", missing);
  require(__builtin_cpu_supports("avx512dq"), "AVX512DQ", missing);
  if (isa >= Isa::avx512_vnni) require(__builtin_cpu_supports("avx512vnni"), "AVX512_VNNI", missing);
  if (isa >= Isa::avx512_bf16) require(__builtin_cpu_supports("avx512bf16"), "AVX512_BF16", missing);
  if (isa == Isa::amx) require_amx(missing);
#else
  missing = "x86-64";
#endif
  return missing;
}

Isa best_isa() {
  Isa best = Isa::generic;
  for (Isa isa : built_isas())
    if (!is_emulated(isa) && missing_features(isa).empty()) best = isa;
  return best;
}

Isa parse_isa(std::string_view name) {
  if (name == "auto") return best_isa();
  std::string known = "auto";
  for (Isa isa : built_isas()) {
    known += ", " + std::string(name_of(isa));
    if (name != name_of(isa)) continue;
    const std::string missing = missing_features(isa);
    if (missing.empty()) return isa;
    throw Error(ErrorKind::unsupported, "isa '" + std::string(name) + "': this processor lacks " + missing +
                                            "; its best is '" + std::string(name_of(best_isa())) + "' (or use 'auto')");
  }
  throw Error(ErrorKind::unsupported, "isa '" + std::string(name) + "' is unknown; choose one of " + known);
}

}  // namespace yanrt::cpu
