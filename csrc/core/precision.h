// What an engine computes in, chosen at load. One package serves all of them.
//
//         weights                            activations into GEMM        sums
//   fp32  f32                                f32                          f32
//   bf16  bf16                               bf16                         f32
//   int8  int8, a scale an output channel    int8, a scale a row          int32, exact
//   fp8   E4M3, a scale an output channel    bf16 (CUDA: E4M3 by row)     f32
//
// Where the package has a calibrated peak for a weight's input, its rows have one scale, that of the peak.
// Everything else (attention, depthwise convolutions, rings) computes in bf16 where the precision is not fp32; norms,
// the residual stream and element-wise chains compute in f32 always.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/dtype.h"
#include "core/error.h"

namespace yanrt {

enum class Precision : uint8_t { fp32, bf16, int8, fp8 };

inline constexpr std::array kPrecisions = {Precision::fp32, Precision::bf16, Precision::int8, Precision::fp8};

constexpr std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32: return "fp32";
    case Precision::bf16: return "bf16";
    case Precision::int8: return "int8";
    case Precision::fp8: return "fp8";
  }
  return "?";
}

// How K/V rings are stored: as the precision computes with them, or in E4M3 without a scale, half as large as bf16
// (what is beyond +-448 becomes +-448).
enum class KvType : uint8_t { compute, fp8 };

constexpr std::string_view name_of(KvType kv) { return kv == KvType::fp8 ? "fp8" : "auto"; }

// Throws Error(unsupported) if the name is unknown.
inline KvType parse_kv(std::string_view name) {
  for (KvType kv : {KvType::compute, KvType::fp8})
    if (name == name_of(kv)) return kv;
  throw Error(ErrorKind::unsupported, "kv '" + std::string(name) + "' is unknown; choose one of auto, fp8");
}

// The type of values and states that the dtype pass may narrow.
constexpr DType compute_type(Precision precision) { return precision == Precision::fp32 ? DType::f32 : DType::bf16; }

// Throws Error(unsupported) if the name is unknown.
inline Precision parse_precision(std::string_view name) {
  std::string known;
  for (Precision precision : kPrecisions) {
    if (name == name_of(precision)) return precision;
    known += (known.empty() ? "" : ", ") + std::string(name_of(precision));
  }
  throw Error(ErrorKind::unsupported, "precision '" + std::string(name) + "' is unknown; choose one of " + known);
}

}  // namespace yanrt
