# What the folders' CMakeLists.txt are written in: paymesh_library, paymesh_test, paymesh_program.

# Not so many sources in a unit that an edit of one would take long. Sources that are named behind stay
# alone: their own names mean something else in another source.
function(paymesh_unity target batch)
  if(PAYMESH_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
    # gcc looks away from a coroutine's frame with a lambda in it only in a unit's main file.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# paymesh_library(NAME name SOURCES a.cc ... [APART b.cc ...] DEPS lib ... [TESTS a_test.cc ...])
# A static library paymesh::<name>, and beside it one GoogleTest program <name>_test. Includes are
# written from the repository's root.
function(paymesh_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;APART;DEPS;TESTS;TESTS_APART;TEST_DEPS" ${ARGN})
  add_library(paymesh_${ARG_NAME} STATIC ${ARG_SOURCES} ${ARG_APART})
  add_library(paymesh::${ARG_NAME} ALIAS paymesh_${ARG_NAME})
  target_include_directories(paymesh_${ARG_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(paymesh_${ARG_NAME} PRIVATE ${PAYMESH_WARNINGS})
  target_link_libraries(paymesh_${ARG_NAME} PUBLIC ${ARG_DEPS})
  target_precompile_headers(paymesh_${ARG_NAME} REUSE_FROM paymesh_precompiled_library)
  paymesh_unity(paymesh_${ARG_NAME} 3 ${ARG_APART})
  if(ARG_TESTS)
    paymesh_test(NAME ${ARG_NAME}_test SOURCES ${ARG_TESTS} APART ${ARG_TESTS_APART}
                 DEPS paymesh::${ARG_NAME} ${ARG_TEST_DEPS})
  endif()
endfunction()

# paymesh_test(NAME name_test SOURCES a_test.cc ... [APART b_test.cc ...] DEPS lib ...)
function(paymesh_test)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;APART;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES} ${ARG_APART})
  target_compile_options(${ARG_NAME} PRIVATE ${PAYMESH_WARNINGS} ${PAYMESH_TEST_OPTIONS})
  target_precompile_headers(${ARG_NAME} REUSE_FROM paymesh_precompiled_test)
  paymesh_unity(${ARG_NAME} 8 ${ARG_APART})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} paymesh_source_dir GTest::gtest GTest::gmock
                        GTest::gtest_main)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} --gtest_brief=0)
  set_property(GLOBAL APPEND PROPERTY PAYMESH_TESTS ${ARG_NAME})
endfunction()

# paymesh_program(NAME name SOURCES main.cc DEPS lib ...)
function(paymesh_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_compile_options(${ARG_NAME} PRIVATE ${PAYMESH_WARNINGS})
  target_precompile_headers(${ARG_NAME} REUSE_FROM paymesh_precompiled_program)
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
endfunction()

# Target sanitized_tests: tests of code without gRPC, whose library is not instrumented and takes long to
# compile: what has no processes and no servers. tests/run builds it with the preset asan, and runs
# what sanitized_tests.txt names.
function(paymesh_sanitized_tests)
  get_property(tests GLOBAL PROPERTY PAYMESH_TESTS)
  list(FILTER tests INCLUDE REGEX "^(base|evm|money)_test$|_domain_test$")
  add_custom_target(sanitized_tests DEPENDS ${tests})
  list(JOIN tests "\n" lines)
  file(WRITE ${CMAKE_BINARY_DIR}/sanitized_tests.txt "${lines}\n")
endfunction()
