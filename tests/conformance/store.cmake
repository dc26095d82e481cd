# The store's battery on every driver. A server that cannot be had is a failure, never a skip.
add_library(store_suite STATIC store_suite.c store_suite_objects.c store_suite_names.c
            store_suite_races.c store_suite_folders.c)
tidemark_flags(store_suite)
target_include_directories(store_suite PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(store_suite PUBLIC adapters)

add_executable(conformance_store_file store_file.c)
tidemark_flags(conformance_store_file)
target_link_libraries(conformance_store_file PRIVATE store_suite adapters_file)
add_test(NAME conformance/store/file COMMAND conformance_store_file)
set_tests_properties(conformance/store/file PROPERTIES TIMEOUT 300)

add_library(store_server STATIC store_server.c)
tidemark_flags(store_server)
target_include_directories(store_server PUBLIC ${PROJECT_SOURCE_DIR})
target_compile_definitions(store_server PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(store_server PUBLIC adapters_s3)

add_executable(conformance_store_s3 store_s3.c)
tidemark_flags(conformance_store_s3)
target_link_libraries(conformance_store_s3 PRIVATE store_suite store_server)
foreach(kind versitygw minio)
    add_test(NAME conformance/store/${kind} COMMAND conformance_store_s3 ${kind})
    set_tests_properties(conformance/store/${kind} PROPERTIES TIMEOUT 900)
endforeach()

add_executable(conformance_store_faults store_faults_main.c store_faults.c store_faults_writes.c
               store_faults_reads.c store_faults_parts.c store_faults_network.c)
tidemark_flags(conformance_store_faults)
target_compile_definitions(conformance_store_faults PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(conformance_store_faults PRIVATE store_suite store_server)
add_test(NAME conformance/store/faults COMMAND conformance_store_faults)
set_tests_properties(conformance/store/faults PROPERTIES TIMEOUT 600)

add_executable(conformance_store_credentials store_credentials.c)
tidemark_flags(conformance_store_credentials)
target_compile_definitions(conformance_store_credentials PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(conformance_store_credentials PRIVATE store_suite store_server)
add_test(NAME conformance/store/credentials COMMAND conformance_store_credentials)
set_tests_properties(conformance/store/credentials PROPERTIES TIMEOUT 120)
