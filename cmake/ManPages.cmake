# man_pages(TARGET): manual pages of all commands, written by the program itself from its tables of options.
# Run as a script (-P) with TIDEMARK and OUT it writes them; included, it makes them part of the build.
if(CMAKE_SCRIPT_MODE_FILE)
    execute_process(COMMAND ${TIDEMARK} help --list OUTPUT_VARIABLE names RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "tidemark help --list ended with ${failed}")
    endif()
    file(REMOVE_RECURSE ${OUT})
    file(MAKE_DIRECTORY ${OUT})
    string(REGEX MATCHALL "[a-z-]+" names "${names}")
    execute_process(COMMAND ${TIDEMARK} help --man OUTPUT_FILE ${OUT}/tidemark.1 COMMAND_ERROR_IS_FATAL ANY)
    foreach(name IN LISTS names)
        execute_process(COMMAND ${TIDEMARK} help --man ${name} OUTPUT_FILE ${OUT}/tidemark-${name}.1
                        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    return()
endif()

set(MAN_PAGES_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(man_pages target)
    include(GNUInstallDirs)
    set(folder ${CMAKE_BINARY_DIR}/man/man1)
    set(stamp ${CMAKE_BINARY_DIR}/man/stamp)
    add_custom_command(OUTPUT ${stamp}
        COMMAND ${CMAKE_COMMAND} -DTIDEMARK=$<TARGET_FILE:${target}> -DOUT=${folder} -P ${MAN_PAGES_SCRIPT}
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
        DEPENDS ${target} ${MAN_PAGES_SCRIPT} COMMENT "Writing manual pages" VERBATIM)
    add_custom_target(man ALL DEPENDS ${stamp})
    install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
endfunction()
