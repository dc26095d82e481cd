# libtidemark, for C programs that read snapshots: shared and static, a header, a file for pkg-config.
# Only the functions of tidemark.h are visible: the static library is one object whose other symbols are local.
include(GNUInstallDirs)

# The foreign libraries that reading needs, as a program names them that links libtidemark.a.
list(JOIN curl_LDFLAGS " " TIDEMARK_LIBRARY_NEEDS)
foreach(library IN ITEMS sqlite3 cjson xxhash zstd yaml openssl expat re2)
    list(JOIN ${library}_LDFLAGS " " flags)
    string(APPEND TIDEMARK_LIBRARY_NEEDS " ${flags}")
endforeach()

string(APPEND TIDEMARK_LIBRARY_NEEDS " -lstdc++") # of the one part that is C++

function(tidemark_library_shared)
    add_library(tidemark_shared SHARED $<TARGET_OBJECTS:library>)
    set_target_properties(tidemark_shared PROPERTIES OUTPUT_NAME tidemark VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C)
    # the modules name all that the program needs; what reading does not use is not asked for at run time
    target_link_options(tidemark_shared PRIVATE -Wl,--as-needed -Wl,--no-undefined)
    target_link_libraries(tidemark_shared PRIVATE library)
    install(TARGETS tidemark_shared)
endfunction()

function(tidemark_library_static)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/libtidemark.o)
    set(archive ${CMAKE_CURRENT_BINARY_DIR}/libtidemark.a)
    set(archives)
    foreach(module IN ITEMS consumer_wiring checkpoint_reading adapters_sqlite adapters_s3 adapters_file adapters_crypto adapters
            adapters_os core_settings core_coord core_snapshot core_spill core_window core_route core_route_cel
            core_record core_base)
        get_target_property(type ${module} TYPE)
        if(type STREQUAL "STATIC_LIBRARY")
            list(APPEND archives $<TARGET_FILE:${module}>)
        endif()
    endforeach()
    add_custom_command(OUTPUT ${archive}
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${object} $<TARGET_OBJECTS:library>
                -Wl,--start-group ${archives} -Wl,--end-group
        COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${object}
        COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
        COMMAND ${CMAKE_AR} rcs ${archive} ${object}
        DEPENDS library ${archives} COMMAND_EXPAND_LISTS COMMENT "Making libtidemark.a" VERBATIM)
    add_custom_target(tidemark_static ALL DEPENDS ${archive})
    install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

function(tidemark_library_files)
    file(RELATIVE_PATH prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
    configure_file(${PROJECT_SOURCE_DIR}/cmake/tidemark.pc.in tidemark.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tidemark.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/library/tidemark.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES ${PROJECT_SOURCE_DIR}/etc/examples/read_snapshot.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
endfunction()
