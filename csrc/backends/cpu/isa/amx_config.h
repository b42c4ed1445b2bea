// What LDTILECFG reads: all eight registers whole, 16 rows of 64 bytes.
#pragma once

#include <cstdint>

namespace yanrt::cpu {

struct alignas(64) AmxConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
inline constexpr AmxConfig kWholeTiles;

}  // namespace yanrt::cpu
