// The instructions of AMX that the inner loops name, in plain C++, with the registers of a thread.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace yanrt::cpu::emulation {

struct Tile {
  uint8_t rows[16][64];
};
inline thread_local Tile tiles[8];
inline thread_local bool tiles_are_set = false;  // as after LDTILECFG

inline Tile& tile_of(int number) {
  if (!tiles_are_set) __builtin_trap();  // the processor raises an exception
  return tiles[number];
}

inline void tile_loadconfig(const void* config) {
  const auto* bytes = static_cast<const uint8_t*>(config);
  for (int i = 0; i < 8; ++i)  // whole registers are what this emulates
    if (bytes[0] != 1 || bytes[16 + 2 * i] != 64 || bytes[17 + 2 * i] != 0 || bytes[48 + i] != 16) __builtin_trap();
  std::memset(tiles, 0, sizeof(tiles));
  tiles_are_set = true;
}
inline void tile_release() { tiles_are_set = false; }
inline void tile_zero(int number) { std::memset(&tile_of(number), 0, sizeof(Tile)); }
inline void tile_loadd(int number, const void* base, int64_t stride) {
  for (int row = 0; row < 16; ++row)
    std::memcpy(tile_of(number).rows[row], static_cast<const char*>(base) + row * stride, 64);
}
inline void tile_stored(int number, void* base, int64_t stride) {
  for (int row = 0; row < 16; ++row)
    std::memcpy(static_cast<char*>(base) + row * stride, tile_of(number).rows[row], 64);
}

inline float bf16_at(const uint8_t* row, int index) {  // subnormals count as zero
  uint16_t half;
  std::memcpy(&half, row + 2 * index, sizeof(half));
  const uint32_t bits =
      (half & 0x7f80) == 0 ? static_cast<uint32_t>(half & 0x8000) << 16 : static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline float normal_or_zero(float x) { return __builtin_fabsf(x) < 0x1p-126f ? 0.0f * x : x; }

// Even and odd elements are summed apart, from zero, and then added to the sum.
inline void tile_dpbf16ps(int to, int a, int b) {
  Tile result = tile_of(to);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      float even = 0, odd = 0, sum;
      for (int k = 0; k < 16; ++k) {
        const uint8_t *x = tile_of(a).rows[m], *y = tile_of(b).rows[k];
        even = normal_or_zero(__builtin_fmaf(bf16_at(x, 2 * k), bf16_at(y, 2 * n), even));
        odd = normal_or_zero(__builtin_fmaf(bf16_at(x, 2 * k + 1), bf16_at(y, 2 * n + 1), odd));
      }
      std::memcpy(&sum, result.rows[m] + 4 * n, sizeof(sum));
      sum = normal_or_zero(normal_or_zero(sum) + normal_or_zero(even + odd));
      std::memcpy(result.rows[m] + 4 * n, &sum, sizeof(sum));
    }
  tile_of(to) = result;
}

inline void tile_dpbusd(int to, int a, int b) {
  Tile result = tile_of(to);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      uint32_t sum;
      std::memcpy(&sum, result.rows[m] + 4 * n, sizeof(sum));
      for (int k = 0; k < 64; ++k)
        sum +=
            static_cast<uint32_t>(tile_of(a).rows[m][k] * static_cast<int8_t>(tile_of(b).rows[k / 4][4 * n + k % 4]));
      std::memcpy(result.rows[m] + 4 * n, &sum, sizeof(sum));
    }
  tile_of(to) = result;
}

}  // namespace yanrt::cpu::emulation

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#undef _tile_dpbusd
#define _tile_loadconfig ::yanrt::cpu::emulation::tile_loadconfig
#define _tile_release ::yanrt::cpu::emulation::tile_release
#define _tile_zero ::yanrt::cpu::emulation::tile_zero
#define _tile_loadd ::yanrt::cpu::emulation::tile_loadd
#define _tile_stored ::yanrt::cpu::emulation::tile_stored
#define _tile_dpbf16ps ::yanrt::cpu::emulation::tile_dpbf16ps
#define _tile_dpbusd ::yanrt::cpu::emulation::tile_dpbusd
