# A room is a folder of src/: one static library of its *.cc, one test program of its *_test.cc (a
# *_alloc_test.cc, which counts allocations, is one of its own), and (with clang) one fuzzer for each
# *_fuzz.cc. What a room may include is data in
# tools/layers.py; DEPS here only has to link.
#
#   penstock_room(mysql/wire DEPS base model LIBS PkgConfig::MARIADB)
add_library(penstock_options INTERFACE)
target_include_directories(penstock_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(PENSTOCK_SANITIZE)
  target_compile_options(penstock_options INTERFACE
    -fsanitize=${PENSTOCK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(penstock_options INTERFACE -fsanitize=${PENSTOCK_SANITIZE})
endif()

function(penstock_room room)
  cmake_parse_arguments(ROOM "" "" "DEPS;LIBS;TEST_DEPS" ${ARGN})
  string(REPLACE "/" "_" name ${room})
  set(dir ${CMAKE_SOURCE_DIR}/src/${room})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  if(room STREQUAL "pipe")
    file(GLOB checks CONFIGURE_DEPENDS ${dir}/checks/*.cc)
    list(APPEND sources ${checks})
  endif()
  set(tests ${sources})
  set(fuzzers ${sources})
  set(alone ${sources})
  list(FILTER alone INCLUDE REGEX "_alloc_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_alloc_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|main)\\.cc$")

  list(TRANSFORM ROOM_DEPS REPLACE "/" "_")
  list(TRANSFORM ROOM_DEPS PREPEND penstock_)
  if(sources)
    add_library(penstock_${name} STATIC ${sources})
    target_link_libraries(penstock_${name} PUBLIC penstock_options ${ROOM_DEPS} ${ROOM_LIBS})
    target_precompile_headers(penstock_${name} PRIVATE
      <algorithm> <chrono> <functional> <map> <memory> <optional> <span> <string> <string_view>
      <unordered_map> <vector> <fmt/format.h> <tl/expected.hpp>)
  else()
    add_library(penstock_${name} INTERFACE)
    target_link_libraries(penstock_${name} INTERFACE penstock_options ${ROOM_DEPS} ${ROOM_LIBS})
  endif()

  if(PENSTOCK_TESTS AND tests)
    list(TRANSFORM ROOM_TEST_DEPS REPLACE "/" "_")
    list(TRANSFORM ROOM_TEST_DEPS PREPEND penstock_)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE penstock_${name} ${ROOM_TEST_DEPS} GTest::gmock_main
                                               rapidcheck)
    target_precompile_headers(${name}_test PRIVATE <gmock/gmock.h> <gtest/gtest.h> <string> <vector>)
    target_compile_definitions(${name}_test PRIVATE
                               PENSTOCK_TESTDATA="${CMAKE_SOURCE_DIR}/tests/data")
    add_test(NAME unit/${room} COMMAND ${name}_test)
  endif()

  if(PENSTOCK_TESTS)
    foreach(test ${alone})
      get_filename_component(target ${test} NAME_WE)
      add_executable(${target} ${test})
      target_link_libraries(${target} PRIVATE penstock_${name} GTest::gmock_main)
      add_test(NAME unit/${room}/${target} COMMAND ${target})
    endforeach()
  endif()

  if(PENSTOCK_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE penstock_${name} -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
