# Read by CMake after llama.cpp's own project() (CMAKE_PROJECT_INCLUDE); the engine's own files stay untouched. In the
# end, when all programs are known:
# - unbuffer.c becomes a part of every program in LORAGUI_PROGRAMS;
# - CLBlast gets the OpenCL of this PC (LORAGUI_OPENCL_LIBRARY, LORAGUI_OPENCL_INCLUDE): its release for Windows names
#   the folder of the computer that it was made on, which is why the guide puts OpenCL exactly there.
# "CACHE INTERNAL" keeps the path until then, whatever the files in between do.
if(NOT CMAKE_PROJECT_NAME STREQUAL PROJECT_NAME)
  return()
endif()
set(loragui_unbuffer "${CMAKE_CURRENT_LIST_DIR}/unbuffer.c" CACHE INTERNAL "")

function(loragui_finish)
  foreach(program IN LISTS LORAGUI_PROGRAMS)
    if(NOT TARGET ${program})
      message(FATAL_ERROR "loragui: these sources build no program ${program}")
    endif()
    target_sources(${program} PRIVATE "${loragui_unbuffer}")
  endforeach()
  if(TARGET clblast AND LORAGUI_OPENCL_LIBRARY)
    set_target_properties(clblast PROPERTIES INTERFACE_LINK_LIBRARIES "${LORAGUI_OPENCL_LIBRARY}")
    set_property(TARGET clblast APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${LORAGUI_OPENCL_INCLUDE}")
  endif()
endfunction()
cmake_language(DEFER CALL loragui_finish)
