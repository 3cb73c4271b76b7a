include(CMakePackageConfigHelpers)
install(TARGETS graphstill_shared graphstill_static
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The public headers are those that graphstill.h reaches; the others are the rooms' own.
set(queue graphstill.h)
set(seen ${queue})
while(queue)
  list(POP_FRONT queue header)
  get_filename_component(room "${header}" DIRECTORY)
  install(FILES "${SRC}/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/graphstill/${room}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${SRC}/${header}")
  file(STRINGS "${SRC}/${header}" includes REGEX "^#include \"")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" include "${include}")
    if(NOT include IN_LIST seen)
      list(APPEND queue ${include})
      list(APPEND seen ${include})
    endif()
  endforeach()
endwhile()

foreach(folder models graphs)
  if(IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/graphstill
            FILES_MATCHING PATTERN "*.yaml" PATTERN "*.csv")
  endif()
endforeach()
install(DIRECTORY "${CMAKE_BINARY_DIR}/man/" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL
        FILES_MATCHING PATTERN "*.1")
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Both files find the library from where they lie, so that an installed tree may be moved.
string(REGEX REPLACE "[^/]+" ".." up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(GS_PC_PREFIX "\${pcfiledir}/${up}")
configure_file(cmake/graphstill.pc.in graphstill.pc @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/graphstill.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/graphstillConfig.cmake.in graphstillConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphstill
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(graphstillConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/graphstillConfig.cmake" "${CMAKE_BINARY_DIR}/graphstillConfigVersion.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphstill)
