# The C library on a real S3 server, through a proxy that counts requests.
add_executable(conformance_reading reading_s3.c store_faults.c)
tidemark_flags(conformance_reading)
target_compile_definitions(conformance_reading PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(conformance_reading PRIVATE checkpoint_shards library store_server)
add_test(NAME conformance/reading COMMAND conformance_reading)
set_tests_properties(conformance/reading PROPERTIES TIMEOUT 300)
