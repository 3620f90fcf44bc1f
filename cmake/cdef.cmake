# eas_cdef(TARGET HEADER OUT_LUA): the C header itself becomes the Lua cdef.
# The preprocessor runs with -DEAS_CDEF, under which a header includes no
# system header; the result is a Lua file that returns the declarations.
function(eas_cdef target header out)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DCC=${CMAKE_C_COMPILER} -DHEADER=${header} -DOUT=${out}
            -DINCLUDES=${CMAKE_SOURCE_DIR}/engine,${CMAKE_SOURCE_DIR}/tasks_native
            -P ${CMAKE_SOURCE_DIR}/cmake/make_cdef.cmake
    DEPENDS ${header} ${CMAKE_SOURCE_DIR}/cmake/make_cdef.cmake ${CMAKE_SOURCE_DIR}/cmake/eas-cdef
    COMMENT "cdef ${out}" VERBATIM)
  set_property(TARGET ${target} APPEND PROPERTY SOURCES ${out})
endfunction()
