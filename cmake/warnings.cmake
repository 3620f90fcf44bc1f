# The flags every target is built with; warnings are errors.
add_library(eas_flags INTERFACE)
target_compile_options(eas_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Werror -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -fno-common -fstack-protector-strong)
target_compile_definitions(eas_flags INTERFACE _GNU_SOURCE)
if(CMAKE_C_COMPILER_ID MATCHES Clang) # its warnings are shown; gcc's, which Debian builds with, are the rule
  target_compile_options(eas_flags INTERFACE -Wno-error -Wno-missing-field-initializers)
endif()

set(EAS_SANITIZE "" CACHE STRING "sanitizers, divided by commas: address, undefined")
if(EAS_SANITIZE)
  target_compile_options(eas_flags INTERFACE -fsanitize=${EAS_SANITIZE} -fno-sanitize-recover=undefined
                         -fno-omit-frame-pointer)
  target_link_options(eas_flags INTERFACE -fsanitize=${EAS_SANITIZE})
endif()
if(EAS_SANITIZE MATCHES address)
  set(EAS_ASAN ON)
else()
  set(EAS_ASAN OFF)
endif()
