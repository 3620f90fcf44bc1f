# The build tree as it will be installed, by links, so that an edited script is used at once.
set(links
  "${CMAKE_SOURCE_DIR}/tasks_lua|${EAS_STAGE_SHARE}/tasks_lua"
  "${CMAKE_SOURCE_DIR}/qc_lua|${EAS_STAGE_SHARE}/qc_lua"
  "${CMAKE_SOURCE_DIR}/registry|${EAS_STAGE_SHARE}/registry"
  "${CMAKE_SOURCE_DIR}/config|${EAS_STAGE_SHARE}/config"
  "${CMAKE_SOURCE_DIR}/diag|${EAS_STAGE_SHARE}/diag"
  "${CMAKE_SOURCE_DIR}/bindings/lua|${EAS_STAGE_SHARE}/lua")
file(MAKE_DIRECTORY ${EAS_STAGE_SHARE})
foreach(pair ${links})
  string(REPLACE "|" ";" pair "${pair}")
  list(GET pair 0 from)
  list(GET pair 1 to)
  file(CREATE_LINK ${from} ${to} SYMBOLIC)
endforeach()

# Man pages come from the same table as --help.
set(EAS_MAN ${CMAKE_BINARY_DIR}/man)
add_custom_command(OUTPUT ${EAS_MAN}/eas.1
  COMMAND eas --make-man ${EAS_MAN}
  DEPENDS eas COMMENT "man pages" VERBATIM)
add_custom_target(man ALL DEPENDS ${EAS_MAN}/eas.1)
install(DIRECTORY ${EAS_MAN}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")

# Shell completion, too.
set(EAS_COMPLETION ${CMAKE_BINARY_DIR}/completion)
add_custom_command(OUTPUT ${EAS_COMPLETION}/eas ${EAS_COMPLETION}/_eas ${EAS_COMPLETION}/eas.fish
  COMMAND ${CMAKE_COMMAND} -E make_directory ${EAS_COMPLETION}
  COMMAND eas completion bash > ${EAS_COMPLETION}/eas
  COMMAND eas completion zsh > ${EAS_COMPLETION}/_eas
  COMMAND eas completion fish > ${EAS_COMPLETION}/eas.fish
  DEPENDS eas COMMENT "shell completion" VERBATIM)
add_custom_target(completion ALL
  DEPENDS ${EAS_COMPLETION}/eas ${EAS_COMPLETION}/_eas ${EAS_COMPLETION}/eas.fish)
install(FILES ${EAS_COMPLETION}/eas DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${EAS_COMPLETION}/_eas DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${EAS_COMPLETION}/eas.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# The reference: pages of the Lua interface and of the headers, from the sources' own comments. Part of what is installed;
# in a tree for daily work it is made when asked for: cmake --build --preset dev --target reference.
set(EAS_REFERENCE ${CMAKE_BINARY_DIR}/reference)
file(GLOB reference_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/reference/*.lua ${CMAKE_SOURCE_DIR}/bindings/lua/eas/*.lua
     ${CMAKE_SOURCE_DIR}/bindings/lua/eas/*/*.lua ${CMAKE_SOURCE_DIR}/engine/*/*.h ${CMAKE_SOURCE_DIR}/tasks_native/*.h)
add_custom_command(OUTPUT ${EAS_REFERENCE}/index.html
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${EAS_REFERENCE}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${EAS_REFERENCE}
  COMMAND eas lua ${CMAKE_SOURCE_DIR}/cmake/reference/make.lua ${CMAKE_SOURCE_DIR} ${EAS_REFERENCE}
  DEPENDS eas ${reference_sources} COMMENT "reference: ${EAS_REFERENCE}/index.html" VERBATIM)
set(reference_all ALL)
if(EAS_SPECS)
  set(reference_all "")
endif()
add_custom_target(reference ${reference_all} DEPENDS ${EAS_REFERENCE}/index.html)
install(DIRECTORY ${EAS_REFERENCE} DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev OPTIONAL)
