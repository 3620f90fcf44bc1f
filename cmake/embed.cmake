# eas_embed(TARGET SYMBOL FILE...): files as one table of {name, text, size} in C.
function(eas_embed target symbol)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
  string(REPLACE ";" "," files "${ARGN}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DOUT=${out} -DFILES=${files}
            -P ${CMAKE_SOURCE_DIR}/cmake/make_embed.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/make_embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
