# How everything is compiled and linked; what only our own sources are warned about is in Warnings.cmake.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
# Asserts stay on in release, and what runs in production is hardened: checked stacks and buffers, at
# addresses that nobody can guess (tests/images reads it back from the binaries).
set(CMAKE_CXX_FLAGS_RELEASE
    "-O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection")
include(CheckPIESupported)
check_pie_supported()

set(PAYMESH_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize takes them")
if(PAYMESH_SANITIZE)
  add_compile_options(-fsanitize=${PAYMESH_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PAYMESH_SANITIZE})
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_compile_options(-pthread)
add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--build-id)

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Whether several sources are compiled as one unit is the preset's choice (CMAKE_UNITY_BUILD): what gRPC
# and Asio make of their templates is most of the work of a clean build, and is then done once. Other
# presets compile file by file, so each file stands alone. Generated code is never joined but where its
# own folder says so: each file of it defines the same static names.
set(PAYMESH_UNITY ${CMAKE_UNITY_BUILD})
set(CMAKE_UNITY_BUILD OFF)
