// The one source of chance: schedules repeat with the seed.
#pragma once

#include <cstdint>

namespace yanrt::cuda_sim {

// xorshift64 (Marsaglia, "Xorshift RNGs", 2003).
class Random {
 public:
  void seed(uint64_t value) { state_ = ((value + 1) * 0x9E3779B97F4A7C15ull) | 1; }
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  uint64_t below(uint64_t n) { return next() % n; }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

Random& random_source();

}  // namespace yanrt::cuda_sim
