# The battery of shard files on every driver.
add_library(kv_suite STATIC kv_suite.c)
tidemark_flags(kv_suite)
target_include_directories(kv_suite PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(kv_suite PUBLIC adapters)

add_executable(conformance_kv_sqlite kv_sqlite.c)
tidemark_flags(conformance_kv_sqlite)
target_link_libraries(conformance_kv_sqlite PRIVATE kv_suite adapters_sqlite)
add_test(NAME conformance/kv/sqlite COMMAND conformance_kv_sqlite)
set_tests_properties(conformance/kv/sqlite PROPERTIES TIMEOUT 120)

# With sqlite-vec, a file that the test set-up installs (tests/integration/requirements.txt).
add_executable(conformance_kv_vec kv_vec.c)
tidemark_flags(conformance_kv_vec)
target_compile_definitions(conformance_kv_vec PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(conformance_kv_vec PRIVATE kv_suite adapters_sqlite m)
add_test(NAME conformance/kv/sqlite-vec COMMAND conformance_kv_vec)
set_tests_properties(conformance/kv/sqlite-vec PROPERTIES TIMEOUT 120)

if(TIDEMARK_WITH_SLATEDB)
    add_executable(conformance_kv_slatedb kv_slatedb.c)
    tidemark_flags(conformance_kv_slatedb)
    target_link_libraries(conformance_kv_slatedb PRIVATE kv_suite adapters_slatedb)
    add_test(NAME conformance/kv/slatedb COMMAND conformance_kv_slatedb)
    set_tests_properties(conformance/kv/slatedb PROPERTIES TIMEOUT 120)
endif()
