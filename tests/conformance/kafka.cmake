# Kafka's side on a real broker, which each test starts for itself and ends. None to be had is a failure.
#
# ThreadSanitizer of gcc 12 does not know C11's threads, with which distributions build librdkafka: every
# program that makes a handle crashes there. `scripts/librdkafka PREFIX --disable-c11threads` makes one that
# runs: point PKG_CONFIG_PATH at it and say so.
option(TIDEMARK_TSAN_RDKAFKA "librdkafka was built for ThreadSanitizer" OFF)
if(TIDEMARK_SANITIZE MATCHES "thread" AND NOT TIDEMARK_TSAN_RDKAFKA)
    return()
endif()

add_library(kafka_bed STATIC kafka_bed.c ../support/broker.c)
tidemark_flags(kafka_bed)
target_include_directories(kafka_bed PUBLIC ${PROJECT_SOURCE_DIR})
target_compile_definitions(kafka_bed PRIVATE TESTS_FOLDER="${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(kafka_bed PUBLIC adapters_kafka)

foreach(battery mock source records group ledger leadership cluster)
    add_executable(conformance_kafka_${battery} kafka_${battery}.c)
    tidemark_flags(conformance_kafka_${battery})
    target_link_libraries(conformance_kafka_${battery} PRIVATE kafka_bed)
    add_test(NAME conformance/kafka/${battery} COMMAND conformance_kafka_${battery})
    set_tests_properties(conformance/kafka/${battery} PROPERTIES TIMEOUT 300
        ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan_librdkafka.supp")
endforeach()
