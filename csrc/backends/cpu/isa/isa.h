// Instruction sets the kernels are compiled for. Each set has its own translation unit, compiled with its own flags;
// code outside them uses baseline instructions only. Chosen at run time, or forced by an option.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yanrt::cpu {

enum class Isa : uint8_t {
  generic,      // baseline x86-64 (or any other processor): the readable version
  avx2,         // AVX2, FMA, F16C
  avx2_vnni,    // and AVX-VNNI
  avx512,       // AVX-512 F, BW, VL, DQ
  avx512_vnni,  // and AVX512_VNNI
  avx512_bf16,  // and AVX512_BF16
  amx,          // and AMX TILE, BF16, INT8
  // Test builds alone: the same sources over a plain C++ version of the instructions, for any machine with AVX2
  // (csrc/testing/isa/).
  emulated_avx2_vnni,
  emulated_avx512,
  emulated_avx512_vnni,
  emulated_avx512_bf16,
  emulated_amx,
};

std::string_view name_of(Isa isa);

// Those this build has, the best last (the emulated ones after all others).
std::vector<Isa> built_isas();
// Features that `isa` needs and this processor, or its operating system, lacks: "AVX2, FMA"; empty: it runs here.
std::string missing_features(Isa isa);

// The best this processor can run.
Isa best_isa();
// Parses "auto" or a name; throws Error(unsupported) if the name is unknown, or naming what the processor lacks.
Isa parse_isa(std::string_view name);

}  // namespace yanrt::cpu
