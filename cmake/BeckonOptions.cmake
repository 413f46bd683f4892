# Compiler flags shared by every target. Warnings are errors in presets only, so that a newer compiler
# does not break a user's build.
option(BECKON_DCHECK "Keep the costly checks (BECKON_DCHECK)" OFF)

add_library(beckon_options INTERFACE)
target_compile_options(beckon_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(beckon_options INTERFACE -Wduplicated-cond -Wlogical-op)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 at -O3 takes `"text" + std::string` for an overlapping copy (GCC bug 105651, mended in 13).
    target_compile_options(beckon_options INTERFACE -Wno-restrict)
  endif()
endif()
if(BECKON_WERROR)
  target_compile_options(beckon_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # libstdc++ 12's own stable_sort uses a function that it declares deprecated.
  target_compile_options(beckon_options INTERFACE -Wno-deprecated-declarations)
endif()
if(BECKON_DCHECK)
  target_compile_definitions(beckon_options INTERFACE BECKON_DCHECK_ENABLED=1 _GLIBCXX_ASSERTIONS=1)
endif()
if(BECKON_SANITIZE)
  # -O1 halves the build time of the instrumented presets; the checks are the same.
  target_compile_options(beckon_options INTERFACE -fsanitize=${BECKON_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  target_link_options(beckon_options INTERFACE -fsanitize=${BECKON_SANITIZE})
  target_compile_definitions(beckon_options INTERFACE BECKON_SANITIZED=1)
endif()

if(BECKON_FUZZ)
  # The libraries tell the fuzzer which of their branches an input reached; without it the search is blind behind the harness.
  target_compile_options(beckon_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(BECKON_CCACHE ccache)
if(BECKON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BECKON_CCACHE})
endif()
find_program(BECKON_MOLD mold)
if(BECKON_MOLD)
  target_link_options(beckon_options INTERFACE -fuse-ld=mold)
endif()
