# Headers that nearly every unit includes and that take the compiler longer than the unit itself, read
# once for each set of flags: libraries, programs, tests. Only the system's: an edit of ours never
# compiles everything again, and no unit gets a header of ours that it does not name. The asan preset
# reads none.
set(PAYMESH_PRECOMPILED
    <algorithm> <array> <atomic> <chrono> <deque> <functional> <future> <map> <memory> <mutex>
    <optional> <random> <set> <string> <string_view> <thread> <unordered_map> <utility> <variant>
    <vector>
    <boost/asio/co_spawn.hpp> <boost/asio/detached.hpp> <boost/asio/io_context.hpp>
    <boost/asio/post.hpp> <boost/asio/steady_timer.hpp> <boost/asio/strand.hpp>
    <boost/asio/thread_pool.hpp> <boost/asio/use_awaitable.hpp>
    <google/protobuf/message.h> <grpcpp/grpcpp.h>)

# What a test itself does need not be fast; what it tests is optimised as everywhere. Checked buffers
# need an optimiser.
set(PAYMESH_TEST_OPTIONS $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)

function(paymesh_precompiled_for kind)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${kind}.cc CONTENT "int main() {}\n")
  set(owner paymesh_precompiled_${kind})
  if(kind STREQUAL library)
    add_library(${owner} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/${kind}.cc)
  else()
    add_executable(${owner} EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/${kind}.cc)
  endif()
  set_target_properties(${owner} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/precompiled)
  target_link_libraries(${owner} PRIVATE gRPC::grpc++ protobuf::libprotobuf Boost::headers)
  target_precompile_headers(${owner} PRIVATE ${PAYMESH_PRECOMPILED} ${ARGN})
endfunction()

paymesh_precompiled_for(library)
paymesh_precompiled_for(program)
paymesh_precompiled_for(test <gmock/gmock.h> <gtest/gtest.h>)
target_compile_options(paymesh_precompiled_test PRIVATE ${PAYMESH_TEST_OPTIONS})
target_link_libraries(paymesh_precompiled_test PRIVATE GTest::gtest GTest::gmock)
