// Which values of a plan pass from kernel to kernel as E4M3 rows, in precision fp8: those that nothing but linear
// reads, with one calibrated peak or none, and that a norm or, with a peak, linear writes. The writer quantises in its
// own pass, and the reader takes what it would have made.
#pragma once

#include <cstddef>
#include <vector>

#include "core/precision.h"
#include "runtime/plan.h"

namespace yanrt::cuda {

inline constexpr float kE4m3Largest = 448.0f;

struct QuantisedValues {
  std::vector<bool> written;  // by op: output 0
  std::vector<bool> read;     // by op: input 0
  std::vector<float> peak;    // by op, of what it writes: the calibrated peak that becomes 448; 0: each row's own
};
QuantisedValues find_quantised_values(const Plan& plan, Precision precision);

// Such a value takes the place of its bf16 form: all rows of codes, then one f32 scale a row, at this offset.
constexpr size_t quantised_scales_at(size_t rows, size_t k) { return align_up(rows * k); }

}  // namespace yanrt::cuda
