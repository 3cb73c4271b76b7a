include(CMakePackageConfigHelpers)
install(TARGETS graphstill_shared graphstill_static EXPORT graphstillTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/graphstill FILES_MATCHING PATTERN "*.h"
        PATTERN "cli" EXCLUDE PATTERN "methods" EXCLUDE PATTERN "layers" EXCLUDE
        PATTERN "importers" EXCLUDE PATTERN "exporters" EXCLUDE)
install(DIRECTORY models graphs DESTINATION ${CMAKE_INSTALL_DATADIR}/graphstill FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_file(cmake/graphstill.pc.in graphstill.pc @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/graphstill.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/graphstillConfig.cmake.in graphstillConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphstill)
write_basic_package_version_file(graphstillConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/graphstillConfig.cmake" "${CMAKE_BINARY_DIR}/graphstillConfigVersion.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/graphstill)
