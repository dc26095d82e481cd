# What an operator's commands do on a real ledger, with a leader that answers, is mute, or is not there.
if(NOT TARGET kafka_bed)
    return() # kafka.cmake says why
endif()
add_executable(conformance_operator operator_commands.c operator_leader.c)
tidemark_flags(conformance_operator)
target_compile_definitions(conformance_operator PRIVATE TIDEMARK_BINARY="$<TARGET_FILE:tidemark>")
target_link_libraries(conformance_operator PRIVATE kafka_bed consumer_operator adapters_file)
add_dependencies(conformance_operator tidemark)
add_test(NAME conformance/operator COMMAND conformance_operator)
set_tests_properties(conformance/operator PROPERTIES TIMEOUT 300)
