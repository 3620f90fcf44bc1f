# cmake --install: FHS paths. Kernels, the binary and its Lua side are installed where they are made.
foreach(folder tasks_lua qc_lua registry config diag)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${folder})
    install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_DATADIR}/eas/${folder})
  endif()
endforeach()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Beside /usr stands /etc; any other prefix keeps its own etc, so that `cmake --install --prefix` stays inside of it.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  install(FILES config/eas.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/eas)
else()
  install(FILES config/eas.conf DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/eas)
endif()
