# beckon_add_library(NAME decide FLOOR 6 DESCRIPTION "…" SOURCES … [DEPS base catalog] [SYSTEM Dnnl::Dnnl] [STATEFUL])
#
# The only way to declare a library. An arrow goes to a strictly lower floor: an edge that goes up or sideways stops the
# configure step, a library that is not in DEPS is not on the include path, and every library has a front door
# (include/beckon/<name>/<name>.h) and a README. DEPS come with the headers of what they depend on; the tidy test refuses
# an #include of a library that is not in the list itself.

set_property(GLOBAL PROPERTY BECKON_LIBRARIES "")

function(beckon_add_library)
  cmake_parse_arguments(L "STATEFUL" "NAME;FLOOR;DESCRIPTION" "SOURCES;DEPS;SYSTEM" ${ARGN})
  foreach(required NAME FLOOR DESCRIPTION SOURCES)
    if("${L_${required}}" STREQUAL "")
      message(FATAL_ERROR "beckon_add_library: ${required} is missing for '${L_NAME}'")
    endif()
  endforeach()
  foreach(file include/beckon/${L_NAME}/${L_NAME}.h README.md)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "${L_NAME}: ${file} is missing")
    endif()
  endforeach()
  foreach(dep ${L_DEPS})
    get_property(below GLOBAL PROPERTY BECKON_FLOOR_${dep})
    if("${below}" STREQUAL "" OR below GREATER_EQUAL L_FLOOR)
      message(FATAL_ERROR "${L_NAME} (floor ${L_FLOOR}) must not depend on ${dep} (floor '${below}')")
    endif()
  endforeach()

  add_library(beckon_${L_NAME} STATIC ${L_SOURCES})
  add_library(beckon::${L_NAME} ALIAS beckon_${L_NAME})
  target_include_directories(beckon_${L_NAME}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM L_DEPS PREPEND beckon_ OUTPUT_VARIABLE targets)
  target_link_libraries(beckon_${L_NAME} PUBLIC ${targets} beckon_options PRIVATE ${L_SYSTEM})

  set_property(GLOBAL APPEND PROPERTY BECKON_LIBRARIES ${L_NAME})
  set_property(GLOBAL PROPERTY BECKON_FLOOR_${L_NAME} ${L_FLOOR})
  set_property(GLOBAL PROPERTY BECKON_DESCRIPTION_${L_NAME} "${L_DESCRIPTION}")
  string(REPLACE ";" " " deps "${L_DEPS}")
  set_property(GLOBAL PROPERTY BECKON_DEPS_${L_NAME} "${deps}")
  set_property(GLOBAL PROPERTY BECKON_STATEFUL_${L_NAME} ${L_STATEFUL})

  if(NOT BECKON_TEST_LIBRARIES OR L_NAME IN_LIST BECKON_TEST_LIBRARIES)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*_test.cc)
    if(tests)
      file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*_helper.cc)
      add_executable(${L_NAME}_test ${tests} ${helpers})
      target_include_directories(${L_NAME}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
      target_compile_definitions(${L_NAME}_test PRIVATE BECKON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      target_link_libraries(${L_NAME}_test PRIVATE beckon_${L_NAME} GTest::gmock GTest::gtest_main)
      add_test(NAME ${L_NAME} COMMAND ${L_NAME}_test)
      set_tests_properties(${L_NAME} PROPERTIES TIMEOUT 1500 LABELS unit)
    endif()
  endif()
endfunction()

# Writes build/<preset>/library_table.md; the tidy test compares it with ARCHITECTURE.md, and library_deps.txt with the
# includes found in the sources.
function(beckon_write_library_table)
  get_property(names GLOBAL PROPERTY BECKON_LIBRARIES)
  set(table "| floor | library | what it is | depends on |\n|---|---|---|---|\n")
  set(deps_file "")
  foreach(name ${names})
    get_property(floor GLOBAL PROPERTY BECKON_FLOOR_${name})
    get_property(description GLOBAL PROPERTY BECKON_DESCRIPTION_${name})
    get_property(deps GLOBAL PROPERTY BECKON_DEPS_${name})
    string(APPEND table "| ${floor} | [${name}](src/${name}/README.md) | ${description} | ${deps} |\n")
    string(APPEND deps_file "${name}: ${deps}\n")
  endforeach()
  file(WRITE ${CMAKE_BINARY_DIR}/library_table.md "${table}")
  file(WRITE ${CMAKE_BINARY_DIR}/library_deps.txt "${deps_file}")
endfunction()
