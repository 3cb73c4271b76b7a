# Each heavy library has one home: gs_<room>_needs carries what that room may include.
find_package(Threads REQUIRED)
find_package(PkgConfig)

function(gs_missing what)
  message(FATAL_ERROR "${what} was not found; run tools/install-deps.")
endfunction()

if(NOT PkgConfig_FOUND)
  gs_missing("pkg-config")
endif()
foreach(pair jansson:jansson yaml:yaml-0.1 zip:libzip z:zlib hdf5:hdf5-serial openblas:openblas)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 name)
  list(GET pair 1 module)
  pkg_check_modules(${name} IMPORTED_TARGET GLOBAL ${module})
  if(NOT ${name}_FOUND AND name STREQUAL hdf5)
    pkg_check_modules(hdf5 IMPORTED_TARGET GLOBAL hdf5)
  endif()
  if(NOT ${name}_FOUND)
    gs_missing("The library ${module}")
  endif()
endforeach()
find_path(GRAPHBLAS_INCLUDE GraphBLAS.h PATH_SUFFIXES suitesparse)
find_library(GRAPHBLAS_LIBRARY graphblas)
find_path(CXSPARSE_INCLUDE cs.h PATH_SUFFIXES suitesparse)
find_library(CXSPARSE_LIBRARY cxsparse)
find_library(HDF5_HL_LIBRARY NAMES hdf5_serial_hl hdf5_hl HINTS ${hdf5_LIBRARY_DIRS})
foreach(needed GRAPHBLAS_INCLUDE GRAPHBLAS_LIBRARY CXSPARSE_INCLUDE CXSPARSE_LIBRARY HDF5_HL_LIBRARY)
  if(NOT ${needed})
    gs_missing("${needed}")
  endif()
endforeach()

foreach(room base graph grad nn distill store report cli)
  add_library(gs_${room}_needs INTERFACE)
endforeach()
target_link_libraries(gs_base_needs INTERFACE PkgConfig::jansson PkgConfig::openblas Threads::Threads)
# SYSTEM: their headers are not held to our warnings.
target_include_directories(gs_graph_needs SYSTEM INTERFACE "${GRAPHBLAS_INCLUDE}" "${CXSPARSE_INCLUDE}")
target_include_directories(gs_store_needs SYSTEM INTERFACE ${hdf5_INCLUDE_DIRS})
target_link_libraries(gs_store_needs INTERFACE PkgConfig::yaml PkgConfig::zip PkgConfig::z)

set(GS_LINK_LIBRARIES "${GRAPHBLAS_LIBRARY}" "${CXSPARSE_LIBRARY}" "${HDF5_HL_LIBRARY}" PkgConfig::hdf5
    PkgConfig::yaml PkgConfig::zip PkgConfig::z PkgConfig::jansson PkgConfig::openblas
    Threads::Threads m)

# For the pkg-config file: how HDF5's libraries are called here.
get_filename_component(GS_HDF5_HL "${HDF5_HL_LIBRARY}" NAME_WE)
string(REGEX REPLACE "^lib" "" GS_HDF5_HL "${GS_HDF5_HL}")
string(REPLACE "_hl" "" GS_HDF5 "${GS_HDF5_HL}")
