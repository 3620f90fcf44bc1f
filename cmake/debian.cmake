# Debian packages: cmake --preset package && cmake --build --preset package && cpack --preset package
#   eas      the program, its scripts, kernels and registry, units of systemd, /etc/eas/eas.conf
#   eas-dev  what a pack with a kernel is built with: headers, eas-cdef, types for the Lua language server
# What the program is linked with is found by shlibdeps; what it loads by name is said here.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME eas)
set(CPACK_PACKAGE_VENDOR "The EAS engine authors")
set(CPACK_PACKAGE_CONTACT "The EAS engine authors <eas@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_SET_DESTDIR ON) # /etc is not below the prefix
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME eas)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "Runs jobs of many tasks (synthesis, ingest, transit search, vetting), each
attempt isolated in a process of its own and judged by a quality check, on one
machine or, with PostgreSQL, on many.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS lua-cjson)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "postgresql, rabbitmq-server, eas-dev")
set(debian ${CMAKE_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME eas-dev)
set(CPACK_DEBIAN_DEV_DESCRIPTION "What packs with kernels are built with: headers of the kernels, eas-cdef, which
makes the declarations for LuaJIT from a header, and the types of the script
interface for editors.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "eas (= ${PROJECT_VERSION}), gcc | c-compiler, libc6-dev | libc-dev, make")
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
include(CPack)
