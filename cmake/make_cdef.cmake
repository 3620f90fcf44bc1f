# Run by eas_cdef: preprocesses HEADER and writes OUT, a Lua file returning a string.
string(REPLACE "," ";" dirs "${INCLUDES}")
set(flags)
foreach(d ${dirs})
  list(APPEND flags -I${d})
endforeach()
execute_process(COMMAND ${CC} -E -P -DEAS_CDEF ${flags} ${HEADER}
  OUTPUT_VARIABLE text RESULT_VARIABLE rc ERROR_VARIABLE why)
if(rc)
  message(FATAL_ERROR "cdef of ${HEADER}: ${why}")
endif()
string(SHA256 digest "${text}")
get_filename_component(name ${HEADER} NAME)
file(WRITE ${OUT} "-- Made from ${name}; do not edit.\nreturn { digest = \"${digest}\", cdef = [==[\n${text}]==] }\n")
