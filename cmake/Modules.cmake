# module(NAME FOLDER USES …): every .c of a folder is one static library that may call only what it USES.
function(tidemark_flags target)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE TIDEMARK_VERSION="${PROJECT_VERSION}")
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Wundef -Wswitch-enum
        $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
        $<$<BOOL:${TIDEMARK_WERROR}>:-Werror> -fno-omit-frame-pointer)
    if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
        target_compile_options(${target} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
    endif()
    if(TIDEMARK_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${TIDEMARK_SANITIZE} -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=${TIDEMARK_SANITIZE})
    endif()
    if(TIDEMARK_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endfunction()

function(module name folder)
    cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.c
         ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc)
    if(NOT sources)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${ARG_USES})
        target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
        return()
    endif()
    add_library(${name} STATIC ${sources})
    tidemark_flags(${name})
    target_link_libraries(${name} PUBLIC ${ARG_USES})
endfunction()
