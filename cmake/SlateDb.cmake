# slatedb_shim(): the library of src/adapters/slatedb/shim, made by cargo from the published crate `slatedb`.
#
# The versions of all crates are in Cargo.lock. cargo fetches them once; without a network it finds them where its own
# settings say (CARGO_HOME, vendored sources, CARGO_NET_OFFLINE=true). Builds may share what cargo makes of them.
set(SLATEDB_RUST_MIN 1.89)
set(TIDEMARK_SLATEDB_FOLDER ${CMAKE_BINARY_DIR}/slatedb CACHE PATH "Where cargo builds SlateDB; several builds may share it")

# Ends the configuration where there is no cargo, or an old one.
function(slatedb_find_cargo)
    find_program(TIDEMARK_CARGO cargo HINTS $ENV{CARGO_HOME}/bin $ENV{HOME}/.cargo/bin)
    set(how "TIDEMARK_WITH_SLATEDB needs cargo ${SLATEDB_RUST_MIN} or newer (scripts/install --slatedb gets it)")
    if(NOT TIDEMARK_CARGO)
        message(FATAL_ERROR "${how}: there is none")
    endif()
    execute_process(COMMAND ${TIDEMARK_CARGO} --version OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE failed)
    if(failed OR NOT said MATCHES "cargo ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS SLATEDB_RUST_MIN)
        string(STRIP "${said}" said)
        message(FATAL_ERROR "${how}: ${TIDEMARK_CARGO} says: ${said}")
    endif()
endfunction()

# The archive that cargo makes has all of Rust's own symbols, some of which are those of libgcc: linked as it is, it would
# lend them to the rest of the program. So it becomes one object of which only the door's functions are visible.
function(slatedb_shim)
    slatedb_find_cargo()
    set(folder ${CMAKE_CURRENT_SOURCE_DIR}/adapters/slatedb)
    set(made ${TIDEMARK_SLATEDB_FOLDER}/release/libtidemark_slatedb.a)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/slatedb_shim.o)
    set(archive ${CMAKE_CURRENT_BINARY_DIR}/libslatedb_shim.a)
    file(STRINGS ${folder}/slatedb_shim.h lines REGEX "slatedb_shim_[a-z_]+\\(")
    set(functions)
    foreach(line IN LISTS lines)
        string(REGEX MATCH "slatedb_shim_[a-z_]+" name "${line}")
        list(APPEND functions -Wl,-u,${name})
    endforeach()
    add_custom_command(OUTPUT ${archive}
        COMMAND ${TIDEMARK_CARGO} build --quiet --release --locked --manifest-path ${folder}/shim/Cargo.toml
                --target-dir ${TIDEMARK_SLATEDB_FOLDER}
        COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${object} ${functions} ${made}
        COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=slatedb_shim_* --remove-section=.llvmbc
                --remove-section=.llvmcmd ${object} # LLVM's own copies of the code, which plugins of ar stumble over
        COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
        COMMAND ${CMAKE_AR} rcs ${archive} ${object}
        DEPENDS ${folder}/shim/Cargo.toml ${folder}/shim/Cargo.lock ${folder}/shim/src/lib.rs ${folder}/slatedb_shim.h
        COMMENT "Building SlateDB with cargo" VERBATIM)
    add_custom_target(slatedb_crate DEPENDS ${archive})
    add_library(slatedb_shim STATIC IMPORTED GLOBAL)
    set_target_properties(slatedb_shim PROPERTIES IMPORTED_LOCATION ${archive})
    target_link_libraries(slatedb_shim INTERFACE gcc_s m ${CMAKE_DL_LIBS} Threads::Threads)
    add_dependencies(slatedb_shim slatedb_crate)
endfunction()
