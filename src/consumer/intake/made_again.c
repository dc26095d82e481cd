/* Compares what a log has with what was read of it, and says what differs. */
#include "consumer/intake/made_again.h"

#include <stdio.h>

#include "core/base/utc.h"

/* docs/operations.md has the steps. */
#define MADE_AGAIN_ADVICE "Nothing of it is used: go on with another `group` and `snapshot.store`"
#define MADE_AGAIN_OR_CUT                                                                          \
    "the topic was deleted and made again, or the log was truncated. " MADE_AGAIN_ADVICE

enum { MADE_AGAIN_WHO_MAX = 160 };

struct witness made_again_witness(const struct source_message *message)
{
    static const uint8_t nothing[1] = {0};
    struct bytes key =
        bytes_of(message->key.size == 0 ? nothing : message->key.data, message->key.size);
    struct bytes value =
        bytes_of(message->value.size == 0 ? nothing : message->value.data, message->value.size);
    return (struct witness){
        .offset = message->offset,
        .hash = witness_hash(message->timestamp_ms, message->has_key ? key : bytes_of(NULL, 0),
                             message->has_value ? value : bytes_of(NULL, 0)),
    };
}

/* By whom the record is known that is not there any more. */
static void who(const struct made_again_log *log, int64_t offset, char text[MADE_AGAIN_WHO_MAX])
{
    bool on_record = offset == log->head_witness;
    bool by_run = on_record && log->head_run != NULL;
    snprintf(text, MADE_AGAIN_WHO_MAX, "%s%s",
             by_run      ? "on record by run "
             : on_record ? "on record for this build"
                         : "that this member has read",
             by_run ? log->head_run : "");
}

static void when(int64_t timestamp_ms, char text[UTC_TEXT_SIZE])
{
    snprintf(text, UTC_TEXT_SIZE, "no time");
    if (timestamp_ms >= 0 && timestamp_ms <= UTC_MAX_US / 1000) {
        utc_format_json(timestamp_ms * 1000, text);
    }
}

bool made_again_compare(const struct made_again_log *log, struct witness witness,
                        const struct source_message *now, struct err *err)
{
    struct witness is = made_again_witness(now);
    if (is.hash == witness.hash) {
        return true;
    }
    char reader[MADE_AGAIN_WHO_MAX];
    char written[UTC_TEXT_SIZE];
    who(log, witness.offset, reader);
    when(now->timestamp_ms, written);
    return err_set(err, ERR_SETTINGS,
                   "%s[%d] has another record at offset %lld than the one %s: hash %016llx then, "
                   "%016llx now (of %s): " MADE_AGAIN_OR_CUT,
                   log->topic, (int)log->number, (long long)witness.offset, reader,
                   (unsigned long long)witness.hash, (unsigned long long)is.hash, written);
}

bool made_again_differ(const struct made_again_log *log, int64_t offset, struct err *err)
{
    char reader[MADE_AGAIN_WHO_MAX];
    who(log, offset, reader);
    return err_set(err, ERR_SETTINGS,
                   "%s[%d] had another record at offset %lld when this member read it than the one "
                   "%s: " MADE_AGAIN_OR_CUT,
                   log->topic, (int)log->number, (long long)offset, reader);
}

bool made_again_ends(const char *topic, int32_t number, int64_t high, int64_t position,
                     struct err *err)
{
    return err_set(err, ERR_SETTINGS,
                   "%s[%d] ends at %lld, below %lld, which was read already: " MADE_AGAIN_OR_CUT,
                   topic, (int)number, (long long)high, (long long)position);
}

bool made_again_too_short(const struct made_again_log *log, int64_t high, struct err *err)
{
    char reader[MADE_AGAIN_WHO_MAX];
    who(log, log->head_witness, reader);
    return err_set(err, ERR_SETTINGS,
                   "%s[%d] ends at %lld, and has no record at offset %lld, as the one %s: hash "
                   "%016llx then: " MADE_AGAIN_OR_CUT,
                   log->topic, (int)log->number, (long long)high, (long long)log->head_witness,
                   reader, (unsigned long long)log->head_hash);
}

void made_again_truncated(const char *topic, int32_t number, int64_t position, struct err *err)
{
    err_set(err, ERR_SETTINGS,
            "%s[%d] was cut below offset %lld, which was read already: " MADE_AGAIN_OR_CUT, topic,
            (int)number, (long long)position);
}

void made_again_gone(const char *topic, int32_t number, struct err *err)
{
    char words[ERR_MESSAGE_MAX];
    snprintf(words, sizeof words, "%s", err->message);
    err_set_code(
        err, ERR_SETTINGS, err->code,
        "%s[%d] is gone, the topic was deleted (%.200s): one that is made again is another "
        "log. " MADE_AGAIN_ADVICE,
        topic, (int)number, words);
}
