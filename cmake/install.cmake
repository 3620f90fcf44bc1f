# cmake --install: FHS paths. Kernels, the binary and its Lua side are installed where they are made.
foreach(folder tasks_lua qc_lua registry config)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_DATADIR}/eas/${folder})
  endif()
endforeach()
install(PROGRAMS cmake/eas-cdef DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT dev)
install(DIRECTORY diag/ DESTINATION ${CMAKE_INSTALL_DATADIR}/eas/diag USE_SOURCE_PERMISSIONS)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY packaging/monitoring DESTINATION ${CMAKE_INSTALL_DATADIR}/eas)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS
        PATTERN "*.so" EXCLUDE PATTERN "*_cdef.lua" EXCLUDE)

# Beside /usr stands /etc; any other prefix keeps its own etc, so that `cmake --install --prefix` stays inside of it.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  install(FILES config/eas.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/eas)
else()
  install(FILES config/eas.conf DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/eas)
endif()

# Units of systemd: their ExecStart is /usr/bin/eas, so only that prefix has them.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  file(GLOB units ${CMAKE_SOURCE_DIR}/packaging/systemd/*.service)
  install(FILES ${units} DESTINATION lib/systemd/system)
  install(FILES packaging/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME eas.conf)
  install(FILES packaging/systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME eas.conf)
endif()
