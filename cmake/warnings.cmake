# The warnings every target is built with; they are errors.
add_library(eas_flags INTERFACE)
target_compile_options(eas_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Werror -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -fno-common -fstack-protector-strong)
target_compile_definitions(eas_flags INTERFACE _GNU_SOURCE)
