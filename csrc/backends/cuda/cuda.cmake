# The CUDA backend in its three forms; all give the same symbols (backends/cuda/backend.h).
#   ON   nvcc for every architecture, the runtime linked statically: the module loads without a driver
#   SIM  the same .cu files as C++ on testing/cuda_sim, their memory accesses instrumented
#   OFF  no_cuda/, which says why there is none
set(cuda_dir csrc/backends/cuda)

if(NOT YANRT_CUDA STREQUAL "OFF")
  file(GLOB cuda_sources CONFIGURE_DEPENDS ${cuda_dir}/*.cpp)
  file(GLOB_RECURSE cuda_kernels CONFIGURE_DEPENDS ${cuda_dir}/kernels/*.cu)
  file(GLOB_RECURSE cuda_kernel_hosts CONFIGURE_DEPENDS ${cuda_dir}/kernels/*.cpp)
  list(APPEND cuda_sources ${cuda_kernel_hosts})
endif()

if(YANRT_CUDA STREQUAL "ON")
  set(CMAKE_CUDA_ARCHITECTURES ${YANRT_CUDA_ARCHITECTURES})  # before the language is enabled
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  add_library(yanrt_cuda STATIC ${cuda_sources} ${cuda_kernels})
  set_target_properties(yanrt_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
  target_include_directories(yanrt_cuda SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_compile_options(yanrt_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--threads=0 --compress-mode=size>)
  if(YANRT_TESTING)  # compute-sanitizer names lines then; in a wheel they would triple the machine code
    target_compile_options(yanrt_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-lineinfo>)
  endif()
  target_link_libraries(yanrt_cuda PUBLIC yanrt_runtime ${CMAKE_DL_LIBS})
elseif(YANRT_CUDA STREQUAL "SIM")
  include(csrc/testing/cuda_sim/cuda_sim.cmake)
  yanrt_simulated_kernels(${cuda_kernels})
  add_library(yanrt_cuda STATIC ${cuda_sources} ${cuda_kernels})
  target_compile_definitions(yanrt_cuda PRIVATE YANRT_CUDA_SIM)
  target_link_libraries(yanrt_cuda PUBLIC yanrt_runtime yanrt_cuda_sim ${CMAKE_DL_LIBS})
else()
  file(GLOB no_cuda_sources CONFIGURE_DEPENDS ${cuda_dir}/no_cuda/*.cpp)
  add_library(yanrt_cuda STATIC ${no_cuda_sources})
  target_link_libraries(yanrt_cuda PUBLIC yanrt_runtime)
endif()
