# Read by CMake after llama.cpp's own project() (CMAKE_PROJECT_INCLUDE): puts unbuffer.c into every program that is
# built, in the end, when they all are known. LORAGUI_PROGRAMS names them. The engine's own files stay untouched.
# "CACHE INTERNAL" keeps the value until the deferred call, whatever the files in between do.
if(NOT CMAKE_PROJECT_NAME STREQUAL PROJECT_NAME)
  return()
endif()
set(loragui_unbuffer "${CMAKE_CURRENT_LIST_DIR}/unbuffer.c" CACHE INTERNAL "")

function(loragui_unbuffer_programs)
  foreach(program IN LISTS LORAGUI_PROGRAMS)
    if(NOT TARGET ${program})
      message(FATAL_ERROR "loragui: these sources build no program ${program}")
    endif()
    target_sources(${program} PRIVATE "${loragui_unbuffer}")
  endforeach()
endfunction()
cmake_language(DEFER CALL loragui_unbuffer_programs)
