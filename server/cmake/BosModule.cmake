find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)

# Everything that our own sources are compiled with; generated code does not link this.
add_library(bos_warnings INTERFACE)
target_compile_features(bos_warnings INTERFACE c_std_17 cxx_std_17)
target_compile_options(bos_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
  -Wdouble-promotion -Wnull-dereference
  $<$<BOOL:${BOS_WERROR}>:-Werror>
  $<$<COMPILE_LANGUAGE:C>:-Wconversion;-Wsign-conversion;-Wstrict-prototypes;-Wmissing-prototypes;-Wold-style-definition>
  $<$<COMPILE_LANGUAGE:C>:SHELL:-include ${CMAKE_SOURCE_DIR}/server/base/banned.h>)
target_compile_definitions(bos_warnings INTERFACE
  _GNU_SOURCE BOS_VERSION="${PROJECT_VERSION}" $<$<BOOL:${BOS_FAILPOINTS}>:BOS_FAILPOINTS>)

# Sanitizers and hardening must reach every target, so these two are the only global flags.
if(BOS_SANITIZE)
  add_compile_options(-fsanitize=${BOS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BOS_SANITIZE})
endif()
if(BOS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # the fuzzer sees which branches of ours it reaches
endif()
if(BOS_HARDEN)
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES C CXX)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
                      -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_compile_options(-fcf-protection)
  endif()
  add_link_options(-Wl,-z,relro,-z,now)
endif()

# bos_module(store USES base domain PRIVATE PostgreSQL::PostgreSQL)
# A folder of server/ as a library, made of all its sources. It sees the headers of the modules it
# uses, and of those that they use; the libraries named PRIVATE are for its own sources, those named
# PUBLIC appear in its headers.
function(bos_module name)
  cmake_parse_arguments(M "" "" "USES;PRIVATE;PUBLIC" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/include/${name})          # holds one symlink: ${name} -> server/${name}
  file(MAKE_DIRECTORY ${root})
  if(NOT EXISTS ${root}/${name})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/server/${name} ${root}/${name} SYMBOLIC)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/server/${name}/*.c
                                      ${CMAKE_SOURCE_DIR}/server/${name}/*.cc)
  if(NOT sources)                                        # a folder that is still empty
    file(WRITE ${CMAKE_BINARY_DIR}/empty.c "typedef int bos_empty;\n")
    set(sources ${CMAKE_BINARY_DIR}/empty.c)
  endif()
  file(GLOB headers CONFIGURE_DEPENDS ${root}/${name}/*.h)
  list(FILTER headers EXCLUDE REGEX "(/banned|_internal)\\.h$")  # internal ones may need a PRIVATE library
  add_library(bos_${name} STATIC ${sources})
  target_sources(bos_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${root} FILES ${headers})
  list(TRANSFORM M_USES PREPEND bos_)
  target_link_libraries(bos_${name} PUBLIC ${M_USES} ${M_PUBLIC} PRIVATE ${M_PRIVATE} bos_warnings)
endfunction()

# bos_test(base/money USES base [THREADS] [WRAP PQexecParams])
# tests/unit/base/money_test.c, linked with the named modules, cmocka and nothing else. WRAP names
# foreign functions that the test replaces by __wrap_<name>. THREADS also runs it under TSan.
function(bos_test path)
  cmake_parse_arguments(T "THREADS" "" "USES;WRAP;LIBS" ${ARGN})
  string(REPLACE "/" "_" name ${path}_test)
  list(TRANSFORM T_USES PREPEND bos_)
  list(TRANSFORM T_WRAP PREPEND -Wl,--wrap=)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/tests/unit/${path}_test.c)
  target_link_libraries(${name} PRIVATE ${T_USES} ${T_LIBS} PkgConfig::cmocka Threads::Threads bos_warnings)
  target_link_options(${name} PRIVATE ${T_WRAP})
  add_test(NAME unit/${path} COMMAND ${name})
  set(labels unit)
  if(T_THREADS)
    list(APPEND labels threads)
  endif()
  set_tests_properties(unit/${path} PROPERTIES LABELS "${labels}" TIMEOUT 120
    ENVIRONMENT "TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1")
endfunction()

# bos_fuzz(page_token USES handlers): tests/fuzz/page_token_fuzz.c with its seeds in
# tests/fuzz/page_token/. Only in the fuzz preset (clang).
function(bos_fuzz name)
  if(NOT BOS_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "" "USES;LIBS" ${ARGN})
  list(TRANSFORM F_USES PREPEND bos_)
  add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.c)
  target_link_libraries(${name}_fuzz PRIVATE ${F_USES} ${F_LIBS} bos_warnings)
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz/${name}
    COMMAND ${name}_fuzz -max_total_time=20 -timeout=10 ${CMAKE_SOURCE_DIR}/tests/fuzz/${name})
  set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz)
endfunction()
