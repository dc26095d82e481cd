# The store's battery on every driver. A server that cannot be had is a failure, never a skip.
add_library(store_suite STATIC store_suite.c store_suite_objects.c store_suite_names.c
            store_suite_races.c)
tidemark_flags(store_suite)
target_include_directories(store_suite PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(store_suite PUBLIC adapters)

add_executable(conformance_store_file store_file.c)
tidemark_flags(conformance_store_file)
target_link_libraries(conformance_store_file PRIVATE store_suite adapters_file)
add_test(NAME conformance/store/file COMMAND conformance_store_file)
set_tests_properties(conformance/store/file PROPERTIES TIMEOUT 300)
