# CMake toolchain of the recipe "wheels": zig (package ziglang) as C and C++ compiler, archiver and linker, so that
# nothing has to be installed on the machine. What differs from machine to machine comes from the environment, see
# loragui/engine/recipes/builders.py.
#
# CMake's identification of the compiler is answered here: it would link a test program without optimization, for
# which zig builds its C++ library once more (measured: 100 s on 2 cores). The answers hold for ziglang 0.13.0.

set(CMAKE_SYSTEM_NAME "$ENV{LORAGUI_SYSTEM}")
set(CMAKE_SYSTEM_PROCESSOR "$ENV{LORAGUI_PROCESSOR}")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(zig "$ENV{LORAGUI_ZIG}")
set(openblas "$ENV{LORAGUI_OPENBLAS}")
set(target -target "$ENV{LORAGUI_TARGET}" "-mcpu=$ENV{LORAGUI_CPU}")
set(CMAKE_C_COMPILER "${zig}" cc ${target})
set(CMAKE_CXX_COMPILER "${zig}" c++ ${target})
set(CMAKE_AR "${zig}")
set(CMAKE_RANLIB "${zig}")

foreach(language C CXX)
  set(CMAKE_${language}_COMPILER_ID Clang)
  set(CMAKE_${language}_COMPILER_ID_RUN TRUE)
  set(CMAKE_${language}_COMPILER_VERSION 18.1.6)
  set(CMAKE_${language}_COMPILER_FRONTEND_VARIANT GNU)
  set(CMAKE_${language}_PLATFORM_ID "$ENV{LORAGUI_PLATFORM_ID}")
  set(CMAKE_${language}_STANDARD_COMPUTED_DEFAULT 17)
  set(CMAKE_${language}_EXTENSIONS_COMPUTED_DEFAULT ON)
endforeach()
set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_DIR}/zig-archive.cmake")

# Threads come with zig's C library; without linking, CMake would take any library's name for one that has them.
set(CMAKE_HAVE_LIBC_PTHREAD TRUE CACHE INTERNAL "")

# OpenBLAS of the package scipy-openblas32: its symbols begin with scipy_.
set(CMAKE_C_FLAGS_INIT "-DGGML_USE_OPENBLAS -Dcblas_sgemm=scipy_cblas_sgemm \"-I${openblas}/include\"")
set(CMAKE_CXX_FLAGS_INIT "-DGGML_USE_OPENBLAS")
set(CMAKE_EXE_LINKER_FLAGS_INIT "\"$ENV{LORAGUI_OPENBLAS_LIBRARY}\" \"$ENV{LORAGUI_UNBUFFER}\" -s")

# The programs find OpenBLAS beside themselves, wherever their folder is moved.
set(CMAKE_EXECUTABLE_FORMAT "$ENV{LORAGUI_FORMAT}")
set(CMAKE_BUILD_WITH_INSTALL_RPATH TRUE)
set(CMAKE_INSTALL_RPATH "$ORIGIN")
