// Constants of the program: tables that a kernel reads as __constant__ data.
#pragma once

#include <cstdint>

namespace yanrt::cuda_sim {

// Whether an address lies in a loaded segment of the program or one of its libraries.
bool is_static_data(uintptr_t address);

}  // namespace yanrt::cuda_sim
