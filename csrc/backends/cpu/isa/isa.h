// Instruction sets the kernels are compiled for. Each set has its own translation units, compiled with its own flags;
// code outside them uses baseline instructions only. Chosen at run time, or forced by an option.
#pragma once

#include <cstdint>
#include <string_view>

namespace yanrt::cpu {

enum class Isa : uint8_t {
  generic,      // baseline x86-64 (or any other processor): the readable version
  avx2,         // AVX2 + FMA + F16C
  avx512,       // AVX-512 F, BW, VL, DQ
  avx512_bf16,  // and AVX512_BF16, AVX512_VNNI
};

std::string_view name_of(Isa isa);
// The best this processor (and its operating system) can run.
Isa best_isa();
// Parses "auto" or a name; throws Error(unsupported) if the name is unknown or the processor cannot run it.
Isa parse_isa(std::string_view name);

}  // namespace yanrt::cpu
