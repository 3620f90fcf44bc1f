# Run by eas_cdef: what packs do with eas-cdef, by the same program.
string(REPLACE "," ";" dirs "${INCLUDES}")
execute_process(COMMAND ${CMAKE_COMMAND} -E env CC=${CC} ${CMAKE_CURRENT_LIST_DIR}/eas-cdef ${HEADER} ${OUT} ${dirs}
  RESULT_VARIABLE rc ERROR_VARIABLE why)
if(rc)
  message(FATAL_ERROR "cdef of ${HEADER}: ${why}")
endif()
