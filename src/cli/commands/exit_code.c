/* The exit codes of `tidemark`, the same for every command. */
#include "cli/commands/exit_code.h"

const struct exit_code_doc exit_code_docs[] = {
    {EXIT_CODE_OK, "ok", "Done. For `check`: the file is right. For `get`: the key was found."},
    {EXIT_CODE_FAILED, "failed",
     "Something that no other number stands for; the message says what."},
    {EXIT_CODE_USAGE, "usage", "The command line is wrong. Nothing was done."},
    {EXIT_CODE_SETTINGS, "settings",
     "Somebody must change something: the settings file, a topic's configuration, a permission."},
    {EXIT_CODE_NOT_FOUND, "not-found",
     "There is no such key, snapshot or run. `multiget`: at least one key was not found."},
    {EXIT_CODE_STORE, "store", "The store does not answer, or not as a store should."},
    {EXIT_CODE_KAFKA, "kafka", "Kafka does not answer."},
    {EXIT_CODE_HELD, "held",
     "The service refuses: a hold is open, a gate keeps the build, or no leader answered in time."},
    {EXIT_CODE_CONFLICT, "conflict", "Somebody else changed it first. Look, then decide."},
    {EXIT_CODE_FENCED, "fenced",
     "Another process took over: the same group and `member_id` twice."},
    {EXIT_CODE_STOPPED, "stopped", "Asked to stop, or a deadline passed, before it was done."},
    {EXIT_CODE_LIMIT, "limit", "A budget is used up: records that cannot be used, memory, disk."},
    {EXIT_CODE_CORRUPT, "corrupt", "Stored bytes are not what was written."},
    {EXIT_CODE_DIFFERS, "differs",
     "`verify`: the snapshot is not what its records make. `diff`: two snapshots differ."},
    {EXIT_CODE_UNPROVED, "unproved",
     "`verify`: records that the proof needs are not in the log any more; nothing else differs."},
    {EXIT_CODE_WARNED, "warned", "`doctor`: it works, and something should be looked at."},
};

const size_t exit_code_doc_count = LENGTH_OF(exit_code_docs);

const char *exit_code_name(enum exit_code code)
{
    for (size_t i = 0; i < exit_code_doc_count; i++) {
        if (exit_code_docs[i].code == code) {
            return exit_code_docs[i].name;
        }
    }
    return "unknown";
}

enum exit_code exit_code_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_NONE:
        return EXIT_CODE_OK;
    case ERR_TRANSIENT:
    case ERR_AMBIGUOUS:
        return err->place == ERR_OF_STORE   ? EXIT_CODE_STORE
               : err->place == ERR_OF_KAFKA ? EXIT_CODE_KAFKA
                                            : EXIT_CODE_FAILED;
    case ERR_CONFLICT:
        return EXIT_CODE_CONFLICT;
    case ERR_FENCED:
        return EXIT_CODE_FENCED;
    case ERR_MISSING:
        return EXIT_CODE_NOT_FOUND;
    case ERR_INPUT:
        return EXIT_CODE_USAGE;
    case ERR_CORRUPT:
        return EXIT_CODE_CORRUPT;
    case ERR_LIMIT:
        return EXIT_CODE_LIMIT;
    case ERR_SETTINGS:
        return EXIT_CODE_SETTINGS;
    case ERR_STOPPED:
        return EXIT_CODE_STOPPED;
    }
    return EXIT_CODE_FAILED;
}

enum exit_code exit_code_or(const struct err *err, enum exit_code unreachable)
{
    enum exit_code code = exit_code_of(err);
    return code == EXIT_CODE_FAILED && (err->kind == ERR_TRANSIENT || err->kind == ERR_AMBIGUOUS)
               ? unreachable
               : code;
}
