# The SIMT simulator, in place of libcudart, and how kernel sources are compiled for it.
find_path(YANRT_CUDA_INCLUDE cuda_runtime_api.h
  HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda/include PATH_SUFFIXES include REQUIRED)

set(sim_dir ${CMAKE_CURRENT_SOURCE_DIR}/csrc/testing/cuda_sim)
file(GLOB sim_sources CONFIGURE_DEPENDS ${sim_dir}/*.cpp ${sim_dir}/runtime/*.cpp)
# Shared: _C, the control module of the tests and the self-test see one simulator, as they would see one driver.
add_library(yanrt_cuda_sim SHARED ${sim_sources})
set_target_properties(yanrt_cuda_sim PROPERTIES CXX_VISIBILITY_PRESET default)  # the runtime API's own names
target_include_directories(yanrt_cuda_sim SYSTEM PUBLIC ${YANRT_CUDA_INCLUDE})
target_compile_options(yanrt_cuda_sim PRIVATE -O3 -g1)
target_link_libraries(yanrt_cuda_sim PUBLIC yanrt_options ${CMAKE_DL_LIBS})

option(YANRT_SIM_COVERAGE "Count the executed lines of the kernels (gcov) instead of checking their accesses" OFF)
set(sim_kernel_options -x c++ -ffp-contract=off -Wno-unknown-pragmas)
if(YANRT_SIM_COVERAGE)
  list(APPEND sim_kernel_options -O0 -g --coverage -fprofile-update=single)
  add_link_options(--coverage)
else()
  # -fsanitize=thread calls back at every access; libtsan is not linked, the simulator answers. Names of lines stay.
  list(APPEND sim_kernel_options -O2 -g1 -fsanitize=thread -Wno-tsan --param=tsan-instrument-func-entry-exit=0)
endif()
function(yanrt_simulated_kernels)
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${sim_kernel_options}")
endfunction()

if(YANRT_TESTING)
  file(GLOB selftest_kernels CONFIGURE_DEPENDS ${sim_dir}/selftest/*.cu)
  yanrt_simulated_kernels(${selftest_kernels})
  pybind11_add_module(_cuda_sim NO_EXTRAS csrc/testing/cuda_sim_module.cpp ${sim_dir}/selftest/run.cpp
                      ${selftest_kernels})
  target_link_libraries(_cuda_sim PRIVATE yanrt_cuda_sim)
  set_target_properties(_cuda_sim PROPERTIES INSTALL_RPATH $ORIGIN)
  install(TARGETS _cuda_sim yanrt_cuda_sim DESTINATION yanrt)
  pybind11_add_module(_cuda_faults NO_EXTRAS csrc/testing/cuda_faults_module.cpp)
  target_link_libraries(_cuda_faults PRIVATE yanrt_cuda)
  set_target_properties(_cuda_faults PROPERTIES INSTALL_RPATH $ORIGIN)
  install(TARGETS _cuda_faults DESTINATION yanrt)
  set(fake_dir ${CMAKE_CURRENT_SOURCE_DIR}/csrc/testing/fake_cublaslt)
  yanrt_simulated_kernels(${fake_dir}/product.cu)
  add_library(yanrt_fake_cublaslt SHARED ${fake_dir}/library.cpp ${fake_dir}/product.cu)
  target_link_libraries(yanrt_fake_cublaslt PRIVATE yanrt_cuda_sim)
  set_target_properties(yanrt_fake_cublaslt PROPERTIES CXX_VISIBILITY_PRESET default INSTALL_RPATH $ORIGIN)
  install(TARGETS yanrt_fake_cublaslt DESTINATION yanrt)
endif()
